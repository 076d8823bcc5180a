-- The frame of encoders, which make one vector of each token, and the layer that BERT's descendants share.

-- Fields of `d` (all but architectures, embed and layer may be absent):
--   architectures  names in config.json that this definition serves
--   base           module of everything, which a checkpoint may leave out ("bert"), or function(c)
--   embed          function(m, c): what goes into the first layer; m is the base
--   layers         path of the layers below the base ("encoder.layer"), or function(m, i) for the module of layer i
--   layer          function(l, x, c, i): the layer's result; l is its module, i counts from 1
--   norm           function(m, x, c): what the last layer's result becomes
local fields = { "architectures", "base", "embed", "layers", "layer", "norm" }

function text_encoder(d)
  check_names(d, fields, "text_encoder")

  local function layer_of(m, i)
    if type(d.layers) == "function" then
      return d.layers(m, i)
    end
    return module(path(m) .. "." .. (d.layers or "encoder.layer"))[i - 1]
  end

  local function encode(c)
    if c.is_decoder then
      error("the configuration says is_decoder, of which only the encoder is known", 0)
    end
    local m = module(type(d.base) == "function" and d.base(c) or d.base)
    local x = d.embed(m, c)
    for i = 1, c.num_hidden_layers do
      x = d.layer(layer_of(m, i), x, c, i)
      if x:size() ~= c.hidden_size then
        error("layer " .. i .. " returns " .. x:size() .. " numbers for each token, wanted " .. c.hidden_size, 0)
      end
    end
    x = graph.gather_rows(x, graph.output_rows())
    return d.norm and d.norm(m, x, c) or x
  end

  return { architectures = d.architectures, outputs = { { "encode", encode } } }
end

-- m(x, ...) with a bias, where no checkpoint tells.
function biased(m, x, ...)
  local sizes = { ... }
  sizes[#sizes + 1] = { bias = true }
  return m(x, table.unpack(sizes))
end

-- Sum of the embeddings of tokens, of their texts' types and of positions, normalised. Options:
--   width   of the tables (c.embedding_size or c.hidden_size)
--   first   the table's row of position 0: that behind the row for padding, where RoBERTa counts from it
--   rows    number of positions, where the table has more than max_position_embeddings rows
--   learned false: positions are not added
--   more    function(x): what is added before the norm
--   project function(x): what the sum becomes before the norm
function bert_embeddings(m, c, options)
  check_names(options, { "width", "first", "rows", "learned", "more", "project" }, "bert_embeddings")
  local o = options or {}
  local width = o.width or c.embedding_size or c.hidden_size
  local x = embedding(token_ids(), m.word_embeddings, c.vocab_size, width)
  if c.type_vocab_size and c.type_vocab_size > 0 then
    x = x + embedding(token_types(), m.token_type_embeddings, c.type_vocab_size, width)
  end
  local kind = c.position_embedding_type or "absolute"
  if o.learned ~= false then
    if kind ~= "absolute" then
      error("position_embedding_type " .. tostring(kind) .. ", of which only absolute is known", 0)
    end
    local first = o.first or 0
    x = x + learned_positions(m.position_embeddings, o.rows or c.max_position_embeddings - first, width, first > 0 and first or nil)
  end
  x = o.more and o.more(x) or x
  x = o.project and o.project(x) or x
  return layer_norm(x, m.LayerNorm, c.layer_norm_eps)
end

-- x and what `block` makes of it, with the norm before the block or behind the sum.
function residual(x, norm, pre_norm, block)
  if pre_norm then
    return x + block(norm(x))
  end
  return norm(x + block(x))
end

-- Attention of all tokens of a sequence to all, without the projection behind it: m has query, key and value. Options: those
-- of attend(), and
--   names  of the projections ({ "query", "key", "value" })
--   turn   function(y): what becomes of queries and keys
function attend_to_all(m, x, c, options)
  local o, plain = options or {}, { bidirectional = true }
  for name, value in pairs(o) do
    if name ~= "names" and name ~= "turn" then
      plain[name] = value
    end
  end
  local heads, d = c.num_attention_heads, c.hidden_size // c.num_attention_heads
  local names = o.names or { "query", "key", "value" }
  local q, k = biased(m[names[1]], x, heads, d), biased(m[names[2]], x, heads, d)
  if o.turn then
    q, k = o.turn(q), o.turn(k)
  end
  return attend(q, k, biased(m[names[3]], x, heads, d), plain)
end

-- BERT's layer: attention and a feed-forward block, each added to what came in and normalised. `attention` are options of
-- attend_to_all().
function bert_layer(l, x, c, attention)
  local a = attend_to_all(l.attention.self, x, c, attention)
  x = layer_norm(x + biased(l.attention.output.dense, a, c.hidden_size), l.attention.output.LayerNorm, c.layer_norm_eps)
  return bert_mlp(l, x, c)
end

-- Its second half.
function bert_mlp(l, x, c)
  local h = activation(c.hidden_act)(biased(l.intermediate.dense, x, c.intermediate_size))
  return layer_norm(x + biased(l.output.dense, h, c.hidden_size), l.output.LayerNorm, c.layer_norm_eps)
end

-- Relative positions in buckets (Raffel et al., 2020) for a table of biases: `distance_rows` of graph.attention, rows of the table
-- by how far behind the query a key stands, from -distance to distance. Near keys have a row each, farther ones share one with
-- others about as far, all from `distance` on the last. With `both` later keys have the table's second half.
function distance_buckets(buckets, distance, both)
  local rows = {}
  for d = -distance, distance do
    local count, row, far = buckets, 0, math.max(-d, 0)
    if both then
      count, far = buckets // 2, math.abs(d)
      row = d > 0 and count or 0
    end
    local near = count // 2
    if far >= near then -- a little is added, since powers must not fall below their whole numbers
      far = near + math.floor(math.log(far / near) / math.log(distance / near) * (count - near) + 1e-6)
    end
    rows[#rows + 1] = row + math.min(far, count - 1)
  end
  return rows
end
