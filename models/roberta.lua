-- BERT whose positions count from the padding's row on.
local bases = { luke = "luke", longformer = "longformer" }

return text_encoder {
  architectures = {
    "RobertaModel", "RobertaForMaskedLM", "CamembertModel", "CamembertForMaskedLM", "XLMRobertaModel",
    "XLMRobertaForMaskedLM", "LukeModel", "LukeForMaskedLM", "LongformerModel", "LongformerForMaskedLM",
  },
  base = function(c)
    return bases[c.model_type] or "roberta"
  end,
  embed = function(m, c)
    return bert_embeddings(m.embeddings, c, { first = c.pad_token_id + 1 })
  end,
  -- Longformer's window reaches as far to either side as half of attention_window; no token is global unless a task says so.
  layer = function(l, x, c, i)
    local reach = c.model_type == "longformer" and of_layer(c, "attention_window", i)
    return bert_layer(l, x, c, reach and { window = reach // 2 + 1 } or nil)
  end,
}
