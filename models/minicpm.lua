-- Llama with factors for embedding, residual and head; some with Mixtral's experts.
return causal_lm {
  architectures = { "MiniCPMForCausalLM" },
  embed = function(_, x, c)
    return x * c.scale_emb
  end,
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = { bias = c.attention_bias, output_bias = c.attention_bias },
      scale = c.scale_depth / math.sqrt(c.num_hidden_layers),
      mlp = (c.num_experts or 0) > 0 and function(h) return mixtral_mlp(l.mlp, h, c) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps) * (c.dim_model_base / c.hidden_size)
  end,
}
