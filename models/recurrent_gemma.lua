-- A block-diagonal linear, stored as [heads, in, out].
local function block_linear(m, name, x, heads)
  local d = x:size() // heads
  local w = weight(m[name .. "_weight"], heads, d, d):transpose(0, 2, 1)
  local y = graph.block_matmul(x:reshape(heads, d), w, path(m[name])) + weight(m[name .. "_bias"], heads, d)
  return y:reshape(heads * d)
end

-- Real-gated linear recurrent unit (De et al., "Griffin", 2024): h = a h + sqrt(1 - a^2) input, but a sequence's first input
-- counts in full.
local function recurrent_unit(m, x, heads)
  local input = x * sigmoid(block_linear(m, "input_gate", x, heads))
  local rate = sigmoid(block_linear(m, "recurrent_gate", x, heads)) * softplus(weight(m.recurrent_param, x:size()))
  local a = exp(rate * -8)
  local not_first = clamp(graph.to_real(positions()), 0, 1)
  return graph.linear_recurrence(a, input * sqrt(1 - a * a * not_first))
end

local function recurrent_block(m, x, c)
  local width, bias = c.lru_width, { bias = true }
  local gate = activation(c.hidden_activation)(m.linear_y(x, width, bias))
  local h = causal_conv(m.conv_1d, m.linear_x(x, width, bias), c.conv1d_width, true)
  return m.linear_out(recurrent_unit(m.rg_lru, h, c.num_attention_heads) * gate, x:size(), bias)
end

return causal_lm {
  architectures = { "RecurrentGemmaForCausalLM" },
  tied = true,
  embed = function(_, x, c)
    return x * bfloat16(math.sqrt(c.hidden_size))
  end,
  layer = function(l, x, c, i)
    local m, kinds, act = l.temporal_block, c.block_types, activation(c.hidden_activation)
    local attention = { window = c.attention_window_size, bias = c.attention_bias, output_bias = true }
    return decoder_layer(l, x, c, {
      norm = rms_norms(c.rms_norm_eps, { offset = 1 }),
      norms = { attention = "temporal_pre_norm", mlp = "channel_pre_norm" },
      attention = function(h)
        local attends = kinds[(i - 1) % #kinds + 1] == "attention"
        return attends and self_attention(m, h, c, attention) or recurrent_block(m, h, c)
      end,
      mlp = function(h) return gated_mlp(l.mlp_block, h, c.intermediate_size // 2, act, { bias = true }) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.final_norm, c.rms_norm_eps, { offset = 1 })
  end,
  logits = function(y, c)
    return softcap(y, c.logits_soft_cap)
  end,
}
