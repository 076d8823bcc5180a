-- Every layer is one block behind one norm: Mamba 2, attention without positions, two linears, or a mixture of such.
local new_names = { linear_attention = "mamba", full_attention = "attention" }

local function kind(c, i)
  return new_names[c.layers_block_type[i]] or c.layers_block_type[i]
end

local blocks = {}

function blocks.mamba(m, x, c)
  local act = activation(c.mamba_hidden_act)
  return mamba2_mixer(m, x, {
    heads = c.mamba_num_heads, head_dim = c.mamba_head_dim, groups = c.n_groups, state = c.ssm_state_size,
    width = c.conv_kernel, act = act, bias = c.use_bias, conv_bias = c.use_conv_bias, limit = c.time_step_limit,
    gated = function(y, gate) return gated_group_norm(m.norm, y, gate, c.n_groups, c.layer_norm_epsilon) end,
  })
end

function blocks.attention(m, x, c)
  return self_attention(m, x, c, { rope = false, bias = c.attention_bias, output_bias = c.attention_bias })
end

function blocks.mlp(m, x, c, width)
  local act, bias = activation(c.mlp_hidden_act), { bias = c.mlp_bias }
  return plain_mlp(m.up_proj, m.down_proj, x, width or c.intermediate_size, act, bias)
end

-- Experts may work in a narrower space.
function blocks.moe(m, x, c)
  local act, experts = activation(c.mlp_hidden_act), c.n_routed_experts
  local chosen, weights = sigmoid_routing(m.gate, x, experts, c)
  local h = c.moe_latent_size and m.fc1_latent_proj(x, c.moe_latent_size) or x
  local y = dispatched(h, chosen, weights, experts, function(rows)
    rows = act(expert_linear(m.experts, "up_proj", rows, experts, c.moe_intermediate_size))
    return expert_linear(m.experts, "down_proj", rows, experts, h:size())
  end)
  y = c.moe_latent_size and m.fc2_latent_proj(y, x:size()) or y
  return y + blocks.mlp(m.shared_experts, x, c, c.moe_shared_expert_intermediate_size)
end

return causal_lm {
  architectures = { "NemotronHForCausalLM" },
  base = function() return graph.weight_shape("model.embeddings.weight") and "model" or "backbone" end,
  embedding = "embeddings", tied = "never",
  layer = function(l, x, c, i)
    return x + blocks[kind(c, i)](l.mixer, rms_norm(x, l.norm, c.layer_norm_epsilon), c)
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm_f, c.layer_norm_epsilon)
  end,
}
