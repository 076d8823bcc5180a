-- Llama with factors for embedding, residual and head; some with Mixtral's experts, MiniCPM 3 with latent attention.
local function attention(l, c)
  if c.kv_lora_rank then
    return function(h) return latent_attention(l.self_attn, h, c, false) end
  end
  return { bias = c.attention_bias, output_bias = c.attention_bias }
end

return causal_lm {
  architectures = { "MiniCPMForCausalLM", "MiniCPM3ForCausalLM" },
  embed = function(_, x, c)
    return x * c.scale_emb
  end,
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = attention(l, c), scale = c.scale_depth / math.sqrt(c.num_hidden_layers),
      mlp = (c.num_experts or 0) > 0 and function(h) return mixtral_mlp(l.mlp, h, c) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps) * (c.dim_model_base / c.hidden_size)
  end,
}
