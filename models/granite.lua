-- Granite's dense models, mixtures of experts, with or without a shared expert, and hybrids with Mamba 2: Llama with multipliers.
local function experts(m, x, c)
  local chosen, weights = softmax_of_chosen(m.router.layer(x, c.num_local_experts), c.num_experts_per_tok)
  return mixture_of_experts(m, x, chosen, weights, {
    experts = c.num_local_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    packed = true, gate_up = "input_linear.weight", packed_down = "output_linear.weight",
  })
end

local function feed_forward(l, c)
  local routed = (c.num_local_experts or 0) > 0
  local shared = (c.shared_intermediate_size or 0) > 0
  return (routed or shared) and function(h)
    local y = routed and experts(l.block_sparse_moe, h, c)
    if not shared then
      return y
    end
    local m, act = l.shared_mlp, activation(c.hidden_act)
    local z = fused_gated_mlp(m.input_linear, m.output_linear, h, c.shared_intermediate_size, act)
    return y and y + z or z
  end
end

local function attention(l, c, i)
  local kinds = c.layers_block_type or c.layer_types
  if kinds and kinds[i] == "mamba" then
    return function(h) return bamba_mixer(l.mamba, h, c) end
  end
  return {
    scale = c.attention_multiplier, bias = c.attention_bias, output_bias = c.attention_bias,
    rope = (c.position_embedding_type or "rope") == "rope" and {},
  }
end

return causal_lm {
  architectures = {
    "GraniteForCausalLM", "GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM", "GraniteMoeHybridForCausalLM",
  },
  embed = function(_, x, c)
    return x * c.embedding_multiplier
  end,
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, { scale = c.residual_multiplier, attention = attention(l, c, i), mlp = feed_forward(l, c) })
  end,
  logits = function(y, c)
    return y / c.logits_scaling
  end,
}
