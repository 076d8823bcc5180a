-- State-space and other recurrent blocks, whose memory of a sequence has a fixed size.

-- Causal convolution of every channel by itself: m.weight [channels, 1, width], m.bias if there is one.
function causal_conv(m, x, width, bias)
  local channels = x:size()
  local y = graph.causal_conv(x, weight(m.weight, channels, 1, width):reshape(channels, width))
  return has(m.bias, bias) and y + weight(m.bias, channels) or y
end

-- Mamba's mixer (Gu and Dao, 2023). Options: inner, state, low (numbers that time steps are made of), width (of the
-- convolution), act, bias, conv_bias; norm: a function(y, name) of the time step, the input's and the output's projection.
function mamba_mixer(m, x, options)
  check_names(options, { "inner", "state", "low", "width", "act", "bias", "conv_bias", "norm" }, "mamba_mixer")
  local o = options
  local norm = o.norm or function(y) return y end
  local h, gate = m.in_proj(x, 2 * o.inner, { bias = o.bias }):split({ o.inner, o.inner })
  h = o.act(causal_conv(m.conv1d, h, o.width, o.conv_bias))
  local step, input, output = m.x_proj(h, o.low + 2 * o.state):split({ o.low, o.state, o.state })
  local rate = softplus(m.dt_proj(norm(step, "dt_layernorm"), o.inner, { bias = true }))
  input, output = norm(input, "b_layernorm"):reshape(1, o.state), norm(output, "c_layernorm"):reshape(1, o.state)
  local a = -exp(weight(m.A_log, o.inner, o.state))
  local y = graph.linear_attention(output, input, (h * rate):reshape(o.inner, 1), a, { rate = rate })
  y = y:reshape(o.inner) + h * weight(m.D, o.inner)
  return m.out_proj(y * o.act(gate), x:size(), { bias = o.bias })
end

-- Mamba 2's (Dao and Gu, 2024). Options: heads, head_dim, groups, state, width, act, bias, conv_bias; limit: range of the time
-- steps; multipliers: of gate, h, input, output and time step; gated: function(y, gate), what becomes of y before out_proj.
local mamba2_options = {
  "heads", "head_dim", "groups", "state", "width", "act", "bias", "conv_bias", "limit", "multipliers", "gated",
}

function mamba2_mixer(m, x, options)
  check_names(options, mamba2_options, "mamba2_mixer")
  local o = options
  local inner, shared = o.heads * o.head_dim, o.groups * o.state
  local sizes = { inner, inner, shared, shared, o.heads }
  local parts = { m.in_proj(x, 2 * inner + 2 * shared + o.heads, { bias = o.bias }):split(sizes) }
  for i, factor in ipairs(o.multipliers or {}) do
    parts[i] = parts[i] * factor
  end
  local gate, step = parts[1], parts[5]
  local mixed = o.act(causal_conv(m.conv1d, concat({ parts[2], parts[3], parts[4] }), o.width, o.conv_bias))
  local h, input, output = mixed:split({ inner, shared, shared })
  h, input, output = h:reshape(o.heads, o.head_dim), input:reshape(o.groups, o.state), output:reshape(o.groups, o.state)
  local rate = softplus(step + weight(m.dt_bias, o.heads))
  local low, high = table.unpack(o.limit or {})
  low, high = low or 0, type(high) == "number" and high or math.huge
  if low > 0 or high < 1e38 then -- softplus gives no less than 0, and larger numbers are no float
    rate = clamp(rate, low, high)
  end
  local a = -exp(weight(m.A_log, o.heads):reshape(o.heads, 1))
  local y = graph.linear_attention(output, input, h * rate:reshape(o.heads, 1), a, { rate = rate })
  y = (y + h * weight(m.D, o.heads):reshape(o.heads, 1)):reshape(inner)
  return m.out_proj(o.gated(y, gate), x:size(), { bias = o.bias })
end

-- Gated delta rule (Yang et al., 2024), as [value_heads, value_dim]: q, k and v are those of all heads, `step` and `strength` have a
-- number for each value head. Options: heads (of q and k), key_dim, value_heads, value_dim.
function gated_delta_rule(m, q, k, v, step, strength, options)
  local o = options
  local function head_norm(y) -- y / sqrt(sum of squares + 1e-6)
    return graph.rms_norm(y:reshape(o.heads, o.key_dim), nil, nil, { eps = 1e-6 / o.key_dim }) * o.key_dim ^ -0.5
  end
  local a = -exp(weight(m.A_log, o.value_heads):reshape(o.value_heads, 1))
  local rate = softplus(step + weight(m.dt_bias, o.value_heads))
  return graph.linear_attention(head_norm(q) * o.key_dim ^ -0.5, head_norm(k), v:reshape(o.value_heads, o.value_dim), a,
    { rate = rate, beta = strength })
end

-- Root-mean-square norm of each of `groups` parts of y * silu(gate), with m.weight over all.
function gated_group_norm(m, y, gate, groups, eps)
  local width = y:size()
  y = (y * silu(gate)):reshape(groups, width // groups)
  return graph.rms_norm(y, nil, nil, { eps = eps }):reshape(width) * weight(m.weight, width)
end

-- Mamba 2 by the configuration keys of hybrids (Bamba, Granite 4).
function bamba_mixer(m, x, c)
  return mamba2_mixer(m, x, {
    heads = c.mamba_n_heads, head_dim = c.mamba_d_head, groups = c.mamba_n_groups, state = c.mamba_d_state,
    width = c.mamba_d_conv, act = activation(c.hidden_act), bias = c.mamba_proj_bias, conv_bias = c.mamba_conv_bias, limit = c.time_step_limit,
    gated = function(y, gate) return gated_group_norm(m.norm, y, gate, 1, c.rms_norm_eps) end,
  })
end
