-- Gated delta nets with norms before each block; every fourth layer is OLMo 3's attention, with norms behind.
local before = { attention = "attention_layer_norm", mlp = "feedforward_layer_norm" }

-- Transformers reads the first of these names and writes the second.
local function behind(l)
  local old = has(l.post_attention_layernorm.weight, true)
  return {
    attention_output = old and "post_attention_layernorm" or "feedforward_layer_norm", mlp_output = "post_feedforward_layernorm",
  }
end

local function delta_net(m, x, c)
  local heads, value_heads = c.linear_num_key_heads, c.linear_num_value_heads
  local dk, dv = c.linear_key_head_dim, c.linear_value_head_dim
  local act = activation(c.hidden_act)
  local function convolved(letter, size)
    return act(causal_conv(m[letter .. "_conv1d"], m[letter .. "_proj"](x, size), c.linear_conv_kernel_dim))
  end
  local q, k, v = convolved("q", heads * dk), convolved("k", heads * dk), convolved("v", value_heads * dv)
  local strength = sigmoid(m.b_proj(x, value_heads)) * (c.linear_allow_neg_eigval and 2 or 1)
  local y = gated_delta_rule(m, q, k, v, m.a_proj(x, value_heads), strength,
    { heads = heads, key_dim = dk, value_heads = value_heads, value_dim = dv })
  y = rms_norm(y, m.o_norm, 1e-5) * silu(m.g_proj(x, value_heads, dv))
  return m.o_proj(y:reshape(value_heads * dv), x:size())
end

return causal_lm {
  architectures = { "OlmoHybridForCausalLM" },
  layer = function(l, x, c, i)
    if layer_type(c, i) == "linear_attention" then
      return decoder_layer(l, x, c, { norms = before, attention = function(h) return delta_net(l.linear_attn, h, c) end })
    end
    return decoder_layer(l, x, c, {
      norms = behind(l),
      attention = {
        bias = c.attention_bias, output_bias = c.attention_bias, whole_norm = rms_norms(c.rms_norm_eps),
      },
    })
  end,
}
