-- Most layers turn queries and keys and see one chunk of the text; the others see all of it, with scores that grow with the
-- logarithm of the position.
local function attention(m, x, c, i)
  local bias = { bias = c.attention_bias }
  local q = m.q_proj(x, c.num_attention_heads, c.head_dim, bias)
  local k = m.k_proj(x, c.num_key_value_heads, c.head_dim, bias)
  local v = m.v_proj(x, c.num_key_value_heads, c.head_dim, bias)
  local options = {}
  if c.no_rope_layers[i] == 1 then
    local function turned(y)
      y = rope(y, c, { interleaved = true })
      return c.use_qk_norm and graph.rms_norm(y, nil, nil, { eps = c.rms_norm_eps }) or y
    end
    q, k, options.chunk = turned(q), turned(k), c.attention_chunk_size
  elseif c.attn_temperature_tuning then
    q = scaled_by_position(q, c.attn_scale, c.floor_scale, 1)
  end
  return m.o_proj(attend(q, k, v, options), x:size(), bias)
end

-- A token's weight goes into its expert, not onto the result; so each choice is a mixture of its own.
local function routed(m, x, c)
  local scores = m.router(x, c.num_local_experts)
  local chosen, sum = top_k(scores, c.num_experts_per_tok), nil
  for slot = 1, c.num_experts_per_tok do
    local expert = c.num_experts_per_tok == 1 and chosen or chosen:slice(slot - 1, slot, 1)
    local gate = sigmoid(take(scores, expert))
    local y = mixture_of_experts(m.experts, x * gate, expert, gate * 0 + 1, {
      experts = c.num_local_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
      packed = true, transposed = true,
    })
    sum = sum and sum + y or y
  end
  return sum
end

local function feed_forward(m, x, c, i)
  local act = activation(c.hidden_act)
  if not in_layers(c.moe_layers, i) then
    return gated_mlp(m, x, c.intermediate_size_mlp, act)
  end
  return gated_mlp(m.shared_expert, x, c.intermediate_size, act) + routed(m, x, c)
end

return causal_lm {
  architectures = { "Llama4ForCausalLM", "Llama4ForConditionalGeneration" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = function(h) return attention(l.self_attn, h, c, i) end,
      mlp = function(h) return feed_forward(l.feed_forward, h, c, i) end,
    })
  end,
}
