local function short_conv(m, x, c)
  local width, bias = x:size(), { bias = c.conv_bias }
  local b, gate, h = m.in_proj(x, 3 * width, bias):split({ width, width, width })
  return m.out_proj(gate * causal_conv(m.conv, b * h, c.conv_L_cache, c.conv_bias), width, bias)
end

-- Widths of the feed-forward block as the configuration derives them.
local function intermediate(c)
  local width = c.intermediate_size
  if not c.block_auto_adjust_ff_dim then
    return width
  end
  width = math.floor(math.floor(2 * width / 3) * (c.block_ffn_dim_multiplier or 1))
  return (width + c.block_multiple_of - 1) // c.block_multiple_of * c.block_multiple_of
end

local function mlp(m, x, c)
  local width = intermediate(c)
  return m.w2(silu(m.w1(x, width)) * m.w3(x, width), x:size())
end

local function sparse_mlp(m, x, c)
  local chosen, weights = sigmoid_routing(m.gate, x, c.num_experts, c, c.use_expert_bias and m.expert_bias)
  return mixture_of_experts(m.experts, x, chosen, weights, {
    experts = c.num_experts, intermediate = c.moe_intermediate_size, act = silu, gate = "w1", up = "w3", down = "w2",
  })
end

return causal_lm {
  architectures = { "Lfm2ForCausalLM", "Lfm2MoeForCausalLM" },
  tied = true,
  layer = function(l, x, c, i)
    local norm = rms_norms(c.norm_eps)
    local attention = { output = "out_proj", norm = norm, norms = { "q_layernorm", "k_layernorm" } }
    if not layer_type(c, i) then
      error("the configuration has no layer_types", 0)
    end
    local attends = layer_type(c, i) == "full_attention"
    return decoder_layer(l, x, c, {
      norm = norm, norms = { attention = "operator_norm", mlp = "ffn_norm" },
      attention = attends and attention or function(h) return short_conv(l.conv, h, c) end,
      mlp = function(h)
        local sparse = c.num_experts and i > c.num_dense_layers
        return sparse and sparse_mlp(l.feed_forward, h, c) or mlp(l.feed_forward, h, c)
      end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.embedding_norm, c.norm_eps)
  end,
}
