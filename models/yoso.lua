-- YOSO, whose weights are powers of the angle between query and key, and Nyströmformer as it is published: with as many
-- landmarks as segments its attention is plain. Both may add a convolution of the values.
local function convolved(m, v, c, width)
  local w = weight(m.conv.weight, c.num_attention_heads, 1, width, 1):reshape(c.num_attention_heads, width)
  return graph.centered_conv(v, w)
end

-- Each head's vector with length 1.
local function unit(x)
  return graph.rms_norm(x, nil, nil, { eps = 0 }) * x:size() ^ -0.5
end

local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.hidden_size // c.num_attention_heads
  local q, k, v = biased(m.query, x, heads, d), biased(m.key, x, heads, d), biased(m.value, x, heads, d)
  local y, width
  if c.model_type == "yoso" then
    if c.use_expectation == false then
      error("use_expectation: weights by random hashes are not known, but their expectation", 0)
    end
    y, width = graph.attention(unit(q), unit(k), v, { bidirectional = true, scale = 1, angle_power = c.hash_code_len }), c.conv_window
    y = unit(y)
  else
    if c.num_landmarks ~= c.segment_means_seq_len then
      error("num_landmarks differs from segment_means_seq_len: attention by landmarks is not known", 0)
    end
    y, width = graph.attention(q, k, v, { bidirectional = true }), c.conv_kernel_size
  end
  y = width and y + convolved(m, v, c, width) or y
  return y:reshape(heads * d)
end

return text_encoder {
  architectures = { "YosoModel", "YosoForMaskedLM", "NystromformerModel", "NystromformerForMaskedLM" },
  base = function(c)
    return c.model_type
  end,
  embed = function(m, c)
    return bert_embeddings(m.embeddings, c, { first = 2, rows = c.max_position_embeddings })
  end,
  layer = function(l, x, c)
    local a, output = attention(l.attention.self, x, c), l.attention.output
    x = layer_norm(x + biased(output.dense, a, c.hidden_size), output.LayerNorm, c.layer_norm_eps)
    return bert_mlp(l, x, c)
  end,
}
