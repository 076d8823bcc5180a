-- XLNet as an encoder. The product of a query with the sines and cosines of a distance is that of two vectors that are turned by
-- the positions of query and key, so that both become parts of longer queries and keys.
local function projection(m, c)
  return weight(m, c.hidden_size, c.num_attention_heads, c.d_head):reshape(c.hidden_size, c.num_attention_heads * c.d_head)
end

local function projected(x, m, c)
  return graph.matmul(x, projection(m, c):transpose(1, 0), path(m)):reshape(c.num_attention_heads, c.d_head)
end

-- Cosines and sines of a token's position for every head, which all layers share.
local waves

local function waves_of(c)
  local heads, half, frequencies = c.num_attention_heads, c.hidden_size // 2, {}
  for _ = 1, heads do
    for i = 0, half - 1 do
      frequencies[#frequencies + 1] = 10000 ^ (-2 * i / c.hidden_size)
    end
  end
  local sines, cosines = graph.sinusoid(positions(), { frequencies = frequencies }):split({ heads * half, heads * half })
  return concat({ cosines:reshape(heads, half), sines:reshape(heads, half) }, -1)
end

-- What a query's product with the projected sines and cosines of distances comes down to.
local function turned_query(q, m, c)
  local to_waves = weight(m.r, c.hidden_size, c.num_attention_heads, c.d_head):transpose(1, 0, 2)
  local sines, cosines = graph.block_matmul(q, to_waves, path(m.r)):split({ c.hidden_size // 2, c.hidden_size // 2 }, 2)
  return turned(10000)(concat({ cosines, sines * -1 }, -1))
end

-- What tells which text of a pair a token is of: cosines and sines of its type, whose products with those of another type are 5
-- where the types are the same and 0 where they are not, but for a number that all have in common. There are 5 types.
local types

local function types_of(c)
  local heads, frequencies = c.num_attention_heads, {}
  for i = 1, 2 * heads do
    frequencies[i] = 2 * math.pi * (i % 2 + 1) / 5
  end
  local sines, cosines = graph.sinusoid(token_types(), { frequencies = frequencies }):split({ 2 * heads, 2 * heads })
  return concat({ cosines:reshape(heads, 2), sines:reshape(heads, 2) }, -1)
end

-- How much more a query's score with tokens of its own text is. What its scores with all tokens have in common does not count.
local function same_text(q, m, c)
  local heads, d = c.num_attention_heads, c.d_head
  local table = weight(m.seg_embed, 2, heads, d)
  local function with(row)
    local part = table:slice(row, row + 1):reshape(heads, 1, d)
    return graph.block_matmul(q, concat({ part, part, part, part }, 1), path(m.seg_embed))
  end
  return (with(0) - with(1)) * (2 / 5)
end

return text_encoder {
  architectures = { "XLNetModel", "XLNetLMHeadModel" },
  base = "transformer",
  layers = "layer",
  embed = function(m, c)
    if c.attn_type ~= "bi" or c.bi_data or (c.clamp_len and c.clamp_len > 0) or c.untie_r == false then
      error("attn_type, bi_data, clamp_len and untie_r are known as \"bi\", false, -1 and true alone", 0)
    end
    waves, types = waves_of(c), types_of(c)
    return embedding(token_ids(), m.word_embedding, c.vocab_size, c.hidden_size)
  end,
  layer = function(l, x, c)
    local m, heads, d = l.rel_attn, c.num_attention_heads, c.d_head
    local q = projected(x, m.q, c)
    local query = concat({
      q + weight(m.r_w_bias, heads, d), turned_query(q + weight(m.r_r_bias, heads, d), m, c),
      same_text(q + weight(m.r_s_bias, heads, d), m, c) * types,
    }, -1)
    local key = concat({ projected(x, m.k, c), waves, types }, -1)
    local a = attend(query, key, projected(x, m.v, c), { bidirectional = true, scale = d ^ -0.5 })
    x = layer_norm(x + graph.matmul(a, projection(m.o, c), path(m.o)), m.layer_norm, c.layer_norm_eps)
    local h = activation(c.ff_activation)(biased(l.ff.layer_1, x, c.d_inner))
    return layer_norm(x + biased(l.ff.layer_2, h, c.hidden_size), l.ff.layer_norm, c.layer_norm_eps)
  end,
}
