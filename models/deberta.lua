-- DeBERTa, whose scores also depend on vectors of how far apart tokens are ("disentangled"). The second version differs in where
-- projections are, in buckets of distances, and in a norm of the vectors.

-- Which products there are: of queries with vectors ("c2p"), of keys with others ("p2c").
local function has_part(c, part)
  local parts = c.pos_att_type
  if type(parts) ~= "string" then
    return contains(parts, part)
  end
  return parts == part or parts == "c2p|p2c" or parts == "p2c|c2p"
end

-- Distances of keys from their query, from -n to n, as rows of the vectors; row `span` is for the token itself.
local function rows_of(c, span, n)
  local rows, mid = {}, (c.position_buckets or 0) // 2
  for d = -n, n do
    local bucket = -d
    if mid > 0 and math.abs(d) > mid then -- a little is taken off, since powers must not rise above their whole numbers
      local far = math.log(math.abs(d) / mid) / math.log((n - 1) / mid) * (mid - 1)
      bucket = (mid + math.ceil(far - 1e-6)) * (d < 0 and 1 or -1)
    end
    rows[#rows + 1] = math.max(0, math.min(span + bucket, 2 * span - 1))
  end
  return rows
end

local function largest_distance(c)
  local n = c.max_relative_positions
  return n and n > 0 and n or c.max_position_embeddings
end

-- What attention is told of distances. The projections of the vectors are the model's own where `names` are nil.
local function distances(m, c, vectors, names)
  local n, heads, d = largest_distance(c), c.num_attention_heads, c.hidden_size // c.num_attention_heads
  local span, parts = c.position_buckets and c.position_buckets > 0 and c.position_buckets or n, 1
  local options = { bidirectional = true, distance_rows = rows_of(c, span, n) }
  local function project(name, bias)
    parts = parts + 1
    return m[name](vectors, heads * d, { bias = bias }):reshape(2 * span, heads, d)
  end
  options.position_keys = has_part(c, "c2p") and project(names.key, names.key_bias) or nil
  options.position_queries = has_part(c, "p2c") and project(names.query, true) or nil
  options.scale = (d * parts) ^ -0.5
  return parts > 1 and options or { bidirectional = true }
end

local function attention(m, x, c, vectors)
  local heads, d = c.num_attention_heads, c.hidden_size // c.num_attention_heads
  if c.model_type == "deberta-v2" then
    local names = { key = "pos_key_proj", query = "pos_query_proj", key_bias = true }
    if c.share_att_key then
      names = { key = "key_proj", query = "query_proj", key_bias = true }
    end
    local options = vectors and distances(m, c, vectors, names) or { bidirectional = true }
    return attend(biased(m.query_proj, x, heads, d), biased(m.key_proj, x, heads, d), biased(m.value_proj, x, heads, d), options)
  end
  local q, k, v = m.in_proj(x, heads, 3, d):split({ 1, 1, 1 }, 2)
  q = q:reshape(heads, d) + weight(m.q_bias, heads * d):reshape(heads, d)
  v = v:reshape(heads, d) + weight(m.v_bias, heads * d):reshape(heads, d)
  local names = { key = "pos_proj", query = "pos_q_proj" }
  return attend(q, k:reshape(heads, d), v, vectors and distances(m, c, vectors, names) or { bidirectional = true })
end

-- The vectors of distances, which all layers share.
local vectors

local function vectors_of(encoder, c)
  if not c.relative_attention then
    return nil
  end
  local span = c.position_buckets and c.position_buckets > 0 and c.position_buckets or largest_distance(c)
  local table = weight(encoder.rel_embeddings.weight, 2 * span, c.hidden_size)
  if c.norm_rel_ebd == "layer_norm" then
    return layer_norm(table, encoder.LayerNorm, c.layer_norm_eps)
  elseif c.norm_rel_ebd and c.norm_rel_ebd ~= "none" then
    error("norm_rel_ebd " .. tostring(c.norm_rel_ebd) .. ", wanted layer_norm or none", 0)
  end
  return table
end

return text_encoder {
  architectures = { "DebertaModel", "DebertaForMaskedLM", "DebertaV2Model", "DebertaV2ForMaskedLM" },
  base = "deberta",
  embed = function(m, c)
    if c.conv_kernel_size and c.conv_kernel_size > 0 then
      error("conv_kernel_size: convolutions of the first layer are not known", 0)
    elseif c.talking_head then
      error("talking_head: heads that are mixed are not known", 0)
    end
    vectors = vectors_of(m.encoder, c)
    return bert_embeddings(m.embeddings, c, {
      learned = c.position_biased_input ~= false,
      project = function(y) return y:size() == c.hidden_size and y or m.embeddings.embed_proj(y, c.hidden_size) end,
    })
  end,
  layer = function(l, x, c)
    local a = attention(l.attention.self, x, c, vectors)
    x = layer_norm(x + biased(l.attention.output.dense, a, c.hidden_size), l.attention.output.LayerNorm, c.layer_norm_eps)
    return bert_mlp(l, x, c)
  end,
}
