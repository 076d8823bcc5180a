-- BERT, and what is the same under another name.
return text_encoder {
  architectures = {
    "BertModel", "BertForMaskedLM", "BertForPreTraining", "ErnieModel", "ErnieForMaskedLM", "ErnieForPreTraining",
    "SplinterModel", "SplinterForPreTraining",
  },
  base = function(c)
    return c.model_type or "bert"
  end,
  embed = function(m, c)
    local e = m.embeddings
    return bert_embeddings(e, c, {
      more = function(x)
        if not c.use_task_id then
          return x
        end
        return x + weight(e.task_type_embeddings.weight, c.task_type_vocab_size, c.hidden_size):slice(0, 1)
      end,
    })
  end,
  layer = function(l, x, c)
    return bert_layer(l, x, c)
  end,
}
