-- Cohere 2 with experts, whose scores are cut to the chosen ones before they become weights.
local function norms(c)
  return c.rms_norm_eps and rms_norms(c.rms_norm_eps) or layer_norms(c.layer_norm_eps, { bias = false })
end

local function routing(scores, c)
  if c.expert_selection_fn == "softmax" then
    return softmax_of_chosen(scores, c.num_experts_per_tok)
  end
  local chosen = top_k(scores, c.num_experts_per_tok)
  local weights = sigmoid(take(scores, chosen))
  return chosen, c.norm_topk_prob and weights / graph.sum(weights) or weights
end

local function sparse_mlp(m, x, c)
  local act, experts, shared = activation(c.hidden_act), c.num_experts, c.num_shared_experts
  local chosen, weights = routing(m.gate(x, experts), c)
  local y = mixture_of_experts(m.experts, x, chosen, weights,
    { experts = experts, intermediate = c.intermediate_size, act = act })
  if shared > 0 then
    y = y + gated_mlp(m.shared_experts, x, c.intermediate_size * shared, act)
    y = c.shared_expert_combination_strategy == "average" and y * 0.5 or y
  end
  return y
end

return causal_lm {
  architectures = { "Cohere2MoeForCausalLM" },
  tied = true,
  layer = function(l, x, c, i)
    local sparse, slides = is_sparse(c, i), layer_type(c, i) == "sliding_attention"
    local turned = slides or not sparse and c.prefix_dense_sliding_window_pattern == 1
    return decoder_layer(l, x, c, {
      parallel = true, norm = norms(c), norms = { attention = "input_layernorm" },
      attention = {
        bias = c.attention_bias, output_bias = c.attention_bias, window = window(c, i), rope = turned and { interleaved = true },
      },
      mlp = function(h)
        return sparse and sparse_mlp(l.mlp, h, c)
          or gated_mlp(l.mlp, h, c.prefix_dense_intermediate_size, activation(c.hidden_act))
      end,
    })
  end,
  norm = function(m, x, c)
    return norms(c)(x, m.norm)
  end,
  logits = function(y, c)
    return y * c.logit_scale
  end,
}
