-- Granite's dense models and mixtures of experts, with or without a shared expert: Llama with multipliers.
local function experts(m, x, c)
  local chosen, weights = softmax_of_chosen(m.router.layer(x, c.num_local_experts), c.num_experts_per_tok)
  return mixture_of_experts(m, x, chosen, weights, {
    experts = c.num_local_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    packed = true, gate_up = "input_linear.weight", packed_down = "output_linear.weight",
  })
end

local function feed_forward(l, c)
  if not c.num_local_experts or c.num_local_experts == 0 then
    return nil
  end
  return function(h)
    local y = experts(l.block_sparse_moe, h, c)
    if c.shared_intermediate_size and c.shared_intermediate_size > 0 then
      local m, act = l.shared_mlp, activation(c.hidden_act)
      y = y + fused_gated_mlp(m.input_linear, m.output_linear, h, c.shared_intermediate_size, act)
    end
    return y
  end
end

return causal_lm {
  architectures = { "GraniteForCausalLM", "GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM" },
  embed = function(_, x, c)
    return x * c.embedding_multiplier
  end,
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      scale = c.residual_multiplier,
      attention = { scale = c.attention_multiplier, bias = c.attention_bias, output_bias = c.attention_bias },
      mlp = feed_forward(l, c),
    })
  end,
  logits = function(y, c)
    return y / c.logits_scaling
  end,
}
