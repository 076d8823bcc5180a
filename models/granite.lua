-- Llama with multipliers: Granite's dense models, mixtures of experts, with or without a shared expert, hybrids with Mamba 2, models
-- with windows and sinks; and HyperCLOVA X, with norms behind each block.
local post_norms = {
  attention = "input_layernorm", attention_output = "post_norm1", mlp = "post_attention_layernorm", mlp_output = "post_norm2",
}

local function experts(m, x, c)
  local new = has(m.router.weight)
  local router = new and m.router or m.router.layer
  local chosen, weights = softmax_of_chosen(router(x, c.num_local_experts), c.num_experts_per_tok)
  return mixture_of_experts(new and m.experts or m, x, chosen, weights, {
    experts = c.num_local_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    packed = true, gate_up = not new and "input_linear.weight" or nil, packed_down = not new and "output_linear.weight" or nil,
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

-- Hybrids turn only where they say so; others may have a base for each layer, 0 for none.
local function rotary(c, i)
  local base = c.layer_rope_theta and c.layer_rope_theta[i]
  if c.model_type == "granitemoehybrid" then
    return c.position_embedding_type == "rope" and {}
  end
  return base ~= 0 and { theta = base }
end

local function attention(l, c, i)
  local kinds = c.layers_block_type or c.layer_types
  if kinds and (kinds[i] == "mamba" or c.model_type == "granitemoehybrid" and kinds[i] == "linear_attention") then
    return function(h) return bamba_mixer(l.mamba, h, c) end
  end
  local swa, sinks = c.layer_rope_theta ~= nil, l.self_attn.sinks
  return {
    scale = c.attention_multiplier, bias = c.attention_bias, output_bias = c.attention_bias, rope = rotary(c, i),
    window = swa and window(c, i) or nil, sinks = swa and weight(sinks, c.num_attention_heads) or nil,
  }
end

return causal_lm {
  architectures = {
    "GraniteForCausalLM", "GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM", "GraniteMoeHybridForCausalLM",
    "GraniteSWAForCausalLM", "GraniteMoeSWAForCausalLM", "HyperCLOVAXForCausalLM",
  },
  embed = function(_, x, c)
    return x * c.embedding_multiplier
  end,
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      scale = c.residual_multiplier, attention = attention(l, c, i), mlp = feed_forward(l, c),
      norms = c.use_post_norm and post_norms or nil,
    })
  end,
  logits = function(y, c)
    return c.model_type == "hyperclovax" and y * c.logits_scaling or y / c.logits_scaling
  end,
}
