-- Whether layer i has experts; the key may hold one number for each of text and images.
local function is_mixture(c, i)
  if not c.moe_num_experts or c.moe_num_experts == 0 then
    return false
  end
  local last = c.moe_layer_end_index
  last = (last == nil or last == -1) and c.num_hidden_layers - 1 or last
  return i % c.moe_layer_interval == 0 and i - 1 >= c.moe_layer_start_index and i - 1 <= last
end

-- The bias only helps to choose.
local function sparse_mlp(m, x, c)
  local act, experts = activation(c.hidden_act), c.moe_num_experts
  local probabilities = softmax(m.gate(x, experts))
  local chosen = top_k(probabilities + weight(m.moe_statics.e_score_correction_bias, 1, experts):reshape(experts), c.moe_k)
  local weights = take(probabilities, chosen)
  weights = weights / clamp(graph.sum(weights), c.moe_norm_min, math.huge)
  local y = mixture_of_experts(m.experts, x, chosen, weights,
    { experts = experts, intermediate = c.moe_intermediate_size, act = act })
  local shared = c.moe_num_shared_experts
  return shared > 0 and y + gated_mlp(m.shared_experts, x, c.moe_intermediate_size * shared, act) or y
end

return causal_lm {
  architectures = { "Ernie4_5ForCausalLM", "Ernie4_5_MoeForCausalLM" },
  layer = function(l, x, c, i)
    local act = activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      attention = { bias = c.use_bias, output_bias = c.use_bias, rope = { interleaved = true } },
      mlp = function(h)
        return is_mixture(c, i) and sparse_mlp(l.mlp, h, c)
          or gated_mlp(l.mlp, h, c.intermediate_size, act, { bias = c.use_bias })
      end,
    })
  end,
}
