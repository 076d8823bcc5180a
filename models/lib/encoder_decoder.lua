-- The frame of models that read one text and write another: an encoder for the first, a decoder that attends to its states.

-- Fields of `d`:
--   architectures  names in config.json that this definition serves
--   encode         function(c): the states of the text that is read
--   decode         function(c, states): the states of the text that is written
--   head           function(c, x): logits of the decoder's states x
function encoder_decoder(d)
  check_names(d, { "architectures", "encode", "decode", "head" }, "encoder_decoder")
  local states

  local function decode(c)
    states = d.encode(c)
    local x = graph.gather_rows(d.decode(c, states), graph.output_rows())
    return d.head(c, x)
  end

  -- Beside its states it keeps the keys and values of all attentions to them, since they are cross ones.
  local function encode()
    return graph.gather_rows(states, graph.output_rows())
  end

  return { architectures = d.architectures, outputs = { { "decode", decode }, { "encode", encode } } }
end

-- What adds positions [tokens, width] as sines, then cosines: frequencies from 1 down to 1 / 10000, or, `closed`, to it.
function sines_of_positions(width, first, closed)
  local frequencies, half = {}, width // 2
  for i = 0, half - 1 do
    frequencies[i + 1] = 10000 ^ (-i / (closed and half - 1 or half))
  end
  return graph.sinusoid(positions(), { frequencies = frequencies, offset = first })
end
