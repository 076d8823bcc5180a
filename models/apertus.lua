-- xIELU (Huang, 2024), an activation with learned numbers: quadratic above zero, exponential below, both with slope 1/2 at zero.
local function xielu(m, x)
  local above, below = relu(x), clamp(x, -math.huge, 0)
  local bend_above = softplus(weight(m.alpha_p, 1))
  local bend_below = softplus(weight(m.alpha_n, 1)) + 0.5
  return above * above * bend_above + (exp(below) - 1 - below) * bend_below + x * 0.5
end

return causal_lm {
  architectures = { "ApertusForCausalLM" },
  layer = function(l, x, c)
    local m = l.mlp
    local act = c.hidden_act == "xielu" and function(h) return xielu(m.act_fn, h) end or activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      norms = { attention = "attention_layernorm", mlp = "feedforward_layernorm" },
      attention = { norm = rms_norms(c.rms_norm_eps), bias = c.attention_bias, output_bias = c.attention_bias },
      mlp = function(h) return plain_mlp(m.up_proj, m.down_proj, h, c.intermediate_size, act, { bias = c.mlp_bias }) end,
    })
  end,
}
