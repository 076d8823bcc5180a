-- RoBERTa's embeddings without types, BERT's layers with biases by distance that all layers share.
return text_encoder {
  architectures = { "MPNetModel", "MPNetForMaskedLM" },
  base = "mpnet",
  embed = function(m, c)
    return bert_embeddings(m.embeddings, c, { first = c.pad_token_id + 1 })
  end,
  layer = function(l, x, c)
    local a, buckets = l.attention, c.relative_attention_num_buckets
    local y = attend_to_all(a.attn, x, c, {
      names = { "q", "k", "v" },
      biases = weight(module("mpnet").encoder.relative_attention_bias.weight, buckets, c.num_attention_heads),
      distance_rows = distance_buckets(buckets, 128, true),
    })
    x = layer_norm(x + biased(a.attn.o, y, c.hidden_size), a.LayerNorm, c.layer_norm_eps)
    return bert_mlp(l, x, c)
  end,
}
