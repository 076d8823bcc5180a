-- The text model of Aria: Llama with experts, of which some serve every token.
local function sparse_mlp(m, x, c)
  local width = c.intermediate_size
  local chosen, weights = softmax_of_chosen(m.router(x, c.moe_num_experts), c.moe_topk)
  local routed = mixture_of_experts(m.experts, x, chosen, weights, {
    experts = c.moe_num_experts, intermediate = width, act = silu,
    packed = true, transposed = true, gate_up = "fc1.weight", packed_down = "fc2.weight",
  })
  return routed + gated_mlp(m.shared_experts, x, width * c.moe_num_shared_experts, activation(c.hidden_act))
end

return causal_lm {
  architectures = { "AriaTextForCausalLM", "AriaForConditionalGeneration" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = { bias = c.attention_bias, output_bias = c.attention_bias },
      mlp = function(h) return sparse_mlp(l.mlp, h, c) end,
    })
  end,
}
