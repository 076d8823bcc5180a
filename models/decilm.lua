-- Llama pruned layer by layer (Nemotron Super and Ultra, found by neural architecture search): block_configs says what is left of each.
local function width(c, ffn)
  return (math.floor(2 * ffn.ffn_mult * c.hidden_size / 3) + 255) // 256 * 256
end

-- A block may be absent, or one linear in its place.
local function block(x, norm, c, kind, linear, f)
  if kind.no_op then
    return x
  end
  local h = rms_norm(x, norm, c.rms_norm_eps)
  return x + (kind.replace_with_linear and linear(h, x:size()) or f(h))
end

return causal_lm {
  architectures = { "DeciLMForCausalLM" },
  layer = function(l, x, c, i)
    local kinds, act = c.block_configs[i], activation(c.hidden_act)
    x = block(x, l.input_layernorm, c, kinds.attention, l.self_attn.linear_attn, function(h)
      return self_attention(l.self_attn, h, c, {
        bias = c.attention_bias, output_bias = c.attention_bias, window = kinds.attention.window_length,
        kv_heads = c.num_attention_heads // kinds.attention.n_heads_in_group,
      })
    end)
    return block(x, l.post_attention_layernorm, c, kinds.ffn, l.mlp.linear_mlp, function(h)
      return gated_mlp(l.mlp, h, width(c, kinds.ffn), act, { bias = c.mlp_bias })
    end)
  end,
}
