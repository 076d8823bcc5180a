-- Qwen 3 whose last states are wanted, as its embedding models are published: every token sees those before it.
return text_encoder {
  architectures = { "Qwen3Model" },
  base = "model",
  layers = "layers",
  embed = function(m, c)
    refuse_attention_to_later(c)
    return embedding(token_ids(), m.embed_tokens, c.vocab_size, c.hidden_size)
  end,
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = {
        window = window(c, i), bias = c.attention_bias, output_bias = c.attention_bias, norm = rms_norms(c.rms_norm_eps),
      },
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps)
  end,
}
