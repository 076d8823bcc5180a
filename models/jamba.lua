-- Layers of attention without positions among Mamba's; every other feed-forward block is a mixture of experts.
local function mixer(m, x, c)
  return mamba_mixer(m, x, {
    inner = c.mamba_expand * c.hidden_size, state = c.mamba_d_state, low = c.mamba_dt_rank, width = c.mamba_d_conv,
    act = activation(c.hidden_act), bias = c.mamba_proj_bias, conv_bias = c.mamba_conv_bias,
    norm = function(y, name) return rms_norm(y, m[name], c.rms_norm_eps) end,
  })
end

local function feed_forward(m, x, c, i)
  local act = activation(c.hidden_act)
  if c.num_experts <= 1 or (i - 1 - c.expert_layer_offset) % c.expert_layer_period ~= 0 then
    return gated_mlp(m, x, c.intermediate_size, act)
  end
  local chosen, weights = softmax_routing(m.router(x, c.num_experts), c.num_experts_per_tok)
  return mixture_of_experts(m.experts, x, chosen, weights,
    { experts = c.num_experts, intermediate = c.intermediate_size, act = act })
end

return causal_lm {
  architectures = { "JambaForCausalLM" },
  layer = function(l, x, c, i)
    local attends = (i - 1 - c.attn_layer_offset) % c.attn_layer_period == 0
    return decoder_layer(l, x, c, {
      norms = { attention = "input_layernorm", mlp = "pre_ff_layernorm" },
      attention = attends and { rope = false } or function(h) return mixer(l.mamba, h, c) end,
      mlp = function(h) return feed_forward(l.feed_forward, h, c, i) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.final_layernorm, c.rms_norm_eps)
  end,
}
