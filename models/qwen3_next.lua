local function head_norm(y)
  -- x / sqrt(sum of squares + 1e-6)
  return graph.rms_norm(y, nil, nil, { eps = 1e-6 / y:size() }) * y:size() ^ -0.5
end

-- Gated delta net (Yang et al., 2024). The fused projections are grouped by key head.
local function delta_net(m, x, c)
  local heads, group = c.linear_num_key_heads, c.linear_num_value_heads // c.linear_num_key_heads
  local dk, dv = c.linear_key_head_dim, c.linear_value_head_dim
  local q, k, v, gate = m.in_proj_qkvz(x, heads, 2 * dk + 2 * group * dv):split({ dk, dk, group * dv, group * dv }, 2)
  local b, step = m.in_proj_ba(x, heads, 2 * group):split({ group, group }, 2)
  local keys, values = heads * dk, heads * group * dv
  local mixed = concat({ q:reshape(keys), k:reshape(keys), v:reshape(values) })
  mixed = silu(causal_conv(m.conv1d, mixed, c.linear_conv_kernel_dim))
  q, k, v = mixed:split({ keys, keys, values })
  q, k, v = q:reshape(heads, dk), k:reshape(heads, dk), v:reshape(heads * group, dv)
  local a = -exp(weight(m.A_log, heads * group):reshape(heads * group, 1))
  local rate = softplus(step:reshape(heads * group) + weight(m.dt_bias, heads * group))
  local y = graph.linear_attention(head_norm(q) * dk ^ -0.5, head_norm(k), v, a,
    { rate = rate, beta = sigmoid(b:reshape(heads * group)) })
  y = rms_norm(y, m.norm, c.rms_norm_eps) * silu(gate:reshape(heads * group, dv))
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
  architectures = { "Qwen3NextForCausalLM" },
  layer = function(l, x, c, i)
    local linear = layer_type(c, i) == "linear_attention"
    return decoder_layer(l, x, c, {
      norm = rms_norms(c.rms_norm_eps, { offset = 1 }),
      attention = function(h)
        return linear and delta_net(l.linear_attn, h, c) or gated_attention(l.self_attn, h, c)
      end,
      mlp = is_sparse(c, i) and function(h) return gated_shared_moe(l.mlp, h, c) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps, { offset = 1 })
  end,
}
