-- EXAONE's layer. Of the models with windows, the layers that see everything do not turn queries and keys. `more`: further options
-- of decoder_layer().
function exaone_layer(l, x, c, i, more)
  local slides = layer_type(c, i) == "sliding_attention"
  more.attention = {
    norm = rms_norms(c.rms_norm_eps), window = slides and c.sliding_window or nil,
    rope = (slides or not c.sliding_window) and {},
  }
  return decoder_layer(l, x, c, more)
end
