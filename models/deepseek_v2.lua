local function routing(m, x, c)
  local probabilities, groups = softmax(m(x, c.n_routed_experts)), nil
  if c.topk_method == "group_limited_greedy" then
    groups = { groups = c.n_group, kept_groups = c.topk_group, best_of_group = 1 }
  end
  local chosen = top_k(probabilities, c.num_experts_per_tok, groups)
  local weights = take(probabilities, chosen)
  if c.norm_topk_prob then
    return chosen, weights / (graph.sum(weights) + 1e-20)
  end
  return chosen, weights * c.routed_scaling_factor
end

return causal_lm {
  architectures = { "DeepseekV2ForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = function(h) return latent_attention(l.self_attn, h, c) end,
      mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c, routing) end,
    })
  end,
}
