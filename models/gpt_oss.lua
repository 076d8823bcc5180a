-- Rows of gate and up take turns; both results are cut off, and up is raised by one.
local function expert_mlp(m, x, c)
  local experts, width, hidden = c.num_local_experts, c.intermediate_size, x:size()
  local alpha, limit = c.swiglu_alpha, c.swiglu_limit
  local w = packed_weight(m.gate_up_proj, experts, 2 * width, hidden, true):reshape(experts, width, 2, hidden)
  local bias = weight(m.gate_up_proj_bias, experts, 2 * width):reshape(experts, width, 2)
  local function part(rows, i)
    local y = graph.matmul(rows, w:slice(i, i + 1, 2):reshape(experts, width, hidden), path(m.gate_up_proj))
    return y + bias:slice(i, i + 1, 2):reshape(experts, 1, width)
  end
  return function(rows)
    local gate, up = clamp(part(rows, 0), -math.huge, limit), clamp(part(rows, 1), -limit, limit)
    local h = (up + 1) * (gate * sigmoid(gate * alpha))
    local y = graph.matmul(h, packed_weight(m.down_proj, experts, hidden, width, true), path(m.down_proj))
    return y + weight(m.down_proj_bias, experts, hidden):reshape(experts, 1, hidden)
  end
end

local function sparse_mlp(m, x, c)
  local scores = m.router(x, c.num_local_experts, { bias = true })
  local chosen, weights = softmax_of_chosen(scores, c.num_experts_per_tok)
  return dispatched(x, chosen, weights, c.num_local_experts, expert_mlp(m.experts, x, c))
end

return causal_lm {
  architectures = { "GptOssForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = {
        bias = c.attention_bias, output_bias = c.attention_bias, window = window(c, i),
        sinks = weight(l.self_attn.sinks, c.num_attention_heads),
      },
      mlp = function(h) return sparse_mlp(l.mlp, h, c) end,
    })
  end,
}
