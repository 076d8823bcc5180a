-- No norm has weights; one stands before the first layer. Queries and keys turn backwards, which is forwards with the halves of
-- each head exchanged (in both, so that scores stay).
local function norms(c)
  return function(y)
    return graph.rms_norm(y, nil, nil, { eps = c.rms_norm_eps })
  end
end

local function attention(m, x, c)
  local d, norm, bias = c.head_dim, norms(c), { bias = c.attention_bias }
  local function turned(y)
    local first, second = y:split({ d // 2, d // 2 }, -1)
    return norm(rope(concat({ second, first }), c))
  end
  local q, k = m.q_proj(x, c.num_attention_heads, d, bias), m.k_proj(x, c.num_key_value_heads, d, bias)
  local v = m.v_proj(x, c.num_key_value_heads, d, bias)
  return m.o_proj(attend(turned(q), turned(k), v), x:size(), bias)
end

return causal_lm {
  architectures = { "NanoChatForCausalLM" },
  embed = function(_, x, c)
    return norms(c)(x)
  end,
  layer = function(l, x, c)
    local act = activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      norm = norms(c),
      attention = function(h) return attention(l.self_attn, h, c) end,
      mlp = function(h) return plain_mlp(l.mlp.fc1, l.mlp.fc2, h, c.intermediate_size, act) end,
    })
  end,
  norm = function(_, x, c)
    return norms(c)(x)
  end,
  logits = function(y, c)
    return softcap(y, c.final_logit_softcapping)
  end,
}
