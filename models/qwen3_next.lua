-- Qwen3-Next and Qwen3.5: three layers of four are gated delta nets.
local function delta_net(m, x, c)
  local heads, group = c.linear_num_key_heads, c.linear_num_value_heads // c.linear_num_key_heads
  local dk, dv = c.linear_key_head_dim, c.linear_value_head_dim
  local value_heads, keys, values = heads * group, heads * dk, heads * group * dv
  local q, k, v, gate, strength, step
  if has(m.in_proj_qkvz.weight, c.model_type == "qwen3_next") then -- fused, grouped by key head
    q, k, v, gate = m.in_proj_qkvz(x, heads, 2 * dk + 2 * group * dv):split({ dk, dk, group * dv, group * dv }, 2)
    strength, step = m.in_proj_ba(x, heads, 2 * group):split({ group, group }, 2)
    q, k, v = q:reshape(keys), k:reshape(keys), v:reshape(values)
    strength, step = strength:reshape(value_heads), step:reshape(value_heads)
  else
    q, k, v = m.in_proj_qkv(x, 2 * keys + values):split({ keys, keys, values })
    gate, strength, step = m.in_proj_z(x, values), m.in_proj_b(x, value_heads), m.in_proj_a(x, value_heads)
  end
  local mixed = causal_conv(m.conv1d, concat({ q, k, v }), c.linear_conv_kernel_dim)
  q, k, v = activation(c.hidden_act)(mixed):split({ keys, keys, values })
  local y = gated_delta_rule(m, q, k, v, step, sigmoid(strength),
    { heads = heads, key_dim = dk, value_heads = value_heads, value_dim = dv })
  y = rms_norm(y, m.norm, c.rms_norm_eps) * silu(gate:reshape(value_heads, dv))
  return m.out_proj(y:reshape(values), x:size())
end

-- Each head's query comes with a gate for its result.
local function gated_attention(m, x, c)
  local d, norm, bias = c.head_dim, rms_norms(c.rms_norm_eps, { offset = 1 }), { bias = c.attention_bias }
  local q, gate = m.q_proj(x, c.num_attention_heads, 2 * d, bias):split({ d, d }, 2)
  local k = norm(m.k_proj(x, c.num_key_value_heads, d, bias), m.k_norm)
  local v = m.v_proj(x, c.num_key_value_heads, d, bias)
  local y = attend(rope(norm(q, m.q_norm), c), rope(k, c), v)
  return m.o_proj(y * sigmoid(gate:reshape(y:size())), x:size(), bias)
end

return causal_lm {
  architectures = {
    "Qwen3NextForCausalLM", "Qwen3_5ForCausalLM", "Qwen3_5MoeForCausalLM", "Qwen3_5ForConditionalGeneration",
    "Qwen3_5MoeForConditionalGeneration",
  },
  layer = function(l, x, c, i)
    local linear = layer_type(c, i) == "linear_attention"
    return decoder_layer(l, x, c, {
      norm = rms_norms(c.rms_norm_eps, { offset = 1 }),
      attention = function(h)
        return linear and delta_net(l.linear_attn, h, c) or gated_attention(l.self_attn, h, c)
      end,
      mlp = is_sparse(c, i) and function(h) return gated_shared_moe(l.mlp, h, c, c.norm_topk_prob ~= false) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps, { offset = 1 })
  end,
}
