local function routing(m, x, c)
  return softmax_routing(m(x, c.n_routed_experts), c.num_experts_per_tok, c.norm_topk_prob)
end

return causal_lm {
  architectures = { "DeepseekForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { bias = c.attention_bias, output_bias = c.attention_bias },
      mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c, routing) end,
    })
  end,
}
