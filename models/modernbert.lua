-- Windows to both sides in most layers, rotary positions, gated MLPs, norms before the blocks.
return text_encoder {
  architectures = { "ModernBertModel", "ModernBertForMaskedLM" },
  base = "model",
  layers = "layers",
  embed = function(m, c)
    local x = embedding(token_ids(), m.embeddings.tok_embeddings, c.vocab_size, c.hidden_size)
    return layer_norm(x, m.embeddings.norm, c.norm_eps, { bias = c.norm_bias })
  end,
  layer = function(l, x, c, i)
    local function norm(y, of)
      return layer_norm(y, of, c.norm_eps, { bias = c.norm_bias })
    end
    local heads, d, kind = c.num_attention_heads, c.hidden_size // c.num_attention_heads, layer_type(c, i)
    local h = i > 1 and norm(x, l.attn_norm) or x -- the embeddings are normalised already
    local q, k, v = l.attn.Wqkv(h, 3, heads, d, { bias = c.attention_bias }):split({ 1, 1, 1 }, 1)
    local function turn(y)
      return rope(y:reshape(heads, d), c, { layer_type = kind })
    end
    local a = attend(turn(q), turn(k), v:reshape(heads, d), {
      bidirectional = true, window = kind == "sliding_attention" and c.local_attention // 2 + 1 or nil,
    })
    x = x + l.attn.Wo(a, c.hidden_size, { bias = c.attention_bias })
    h = l.mlp.Wi(norm(x, l.mlp_norm), 2 * c.intermediate_size, { bias = c.mlp_bias })
    local input, gate = h:split({ c.intermediate_size, c.intermediate_size })
    return x + l.mlp.Wo(activation(c.hidden_activation)(input) * gate, c.hidden_size, { bias = c.mlp_bias })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.final_norm, c.norm_eps, { bias = c.norm_bias })
  end,
}
