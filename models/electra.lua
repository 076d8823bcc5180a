-- BERT with embeddings of another width, made as wide as layers before the first.
return text_encoder {
  architectures = {
    "ElectraModel", "ElectraForMaskedLM", "ElectraForPreTraining", "RoFormerModel", "RoFormerForMaskedLM",
  },
  base = function(c)
    return c.model_type
  end,
  embed = function(m, c)
    local x = bert_embeddings(m.embeddings, c, { learned = c.model_type == "electra" })
    return x:size() == c.hidden_size and x or biased(m.embeddings_project, x, c.hidden_size)
  end,
  layer = function(l, x, c)
    if c.model_type == "electra" then
      return bert_layer(l, x, c)
    elseif c.rotary_value then
      error("rotary_value: values that turn are not known", 0)
    end
    return bert_layer(l, x, c, { turn = turned(10000, true) })
  end,
}
