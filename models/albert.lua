-- One or a few groups of layers, each of which is applied many times.
local function inner_layer(l, x, c)
  local a = attend_to_all(l.attention, x, c)
  x = layer_norm(x + biased(l.attention.dense, a, c.hidden_size), l.attention.LayerNorm, c.layer_norm_eps)
  local h = activation(c.hidden_act)(biased(l.ffn, x, c.intermediate_size))
  return layer_norm(x + biased(l.ffn_output, h, c.hidden_size), l.full_layer_layer_norm, c.layer_norm_eps)
end

return text_encoder {
  architectures = { "AlbertModel", "AlbertForMaskedLM", "AlbertForPreTraining" },
  base = "albert",
  embed = function(m, c)
    return biased(m.encoder.embedding_hidden_mapping_in, bert_embeddings(m.embeddings, c), c.hidden_size)
  end,
  layers = function(m)
    return m.encoder.albert_layer_groups
  end,
  layer = function(groups, x, c, i)
    local group = math.floor((i - 1) / (c.num_hidden_layers / c.num_hidden_groups))
    for inner = 0, c.inner_group_num - 1 do
      x = inner_layer(groups[group].albert_layers[inner], x, c)
    end
    return x
  end,
}
