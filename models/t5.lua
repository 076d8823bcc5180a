-- T5 and its descendants: root-mean-square norms before the blocks, scores that are not scaled, biases by distance.

local function norm(x, m, c)
  return rms_norm(x, m.layer_norm, c.layer_norm_epsilon)
end

-- Biases are those of the first layer, unless every layer has its own.
local function biases(stack, name, layer, both, c)
  local of = c.model_type == "umt5" and layer or 0
  local table = stack.block[of].layer[0][name].relative_attention_bias.weight
  return {
    scale = 1, biases = weight(table, c.relative_attention_num_buckets, c.num_heads),
    distance_rows = distance_buckets(c.relative_attention_num_buckets, c.relative_attention_max_distance, both),
  }
end

local function attention(m, x, y, c, options)
  local heads, d = c.num_heads, c.d_kv
  return m.o(attend(m.q(x, heads, d), m.k(y, heads, d), m.v(y, heads, d), options), c.d_model)
end

local function mlp(l, x, c)
  local m, kind, h = l.DenseReluDense, c.feed_forward_proj, norm(x, l, c)
  if kind:sub(1, 6) ~= "gated-" then
    return x + m.wo(activation(kind)(m.wi(h, c.d_ff)), c.d_model)
  end
  local act = activation(kind == "gated-gelu" and "gelu_new" or kind:sub(7))
  return x + m.wo(act(m.wi_0(h, c.d_ff)) * m.wi_1(h, c.d_ff), c.d_model)
end

local function embed(c)
  return embedding(token_ids(), module("shared"), c.vocab_size, c.d_model)
end

local function encode(c)
  local stack, x, name = module("encoder"), embed(c), "SelfAttention"
  if c.model_type == "longt5" then
    if c.encoder_attention_type ~= "local" then
      error("encoder_attention_type " .. tostring(c.encoder_attention_type) .. ", of which only local is known", 0)
    end
    name = "LocalSelfAttention"
  end
  for i = 0, c.num_layers - 1 do
    local l, options = stack.block[i].layer, biases(stack, name, i, true, c)
    options.bidirectional, options.window = true, name == "LocalSelfAttention" and c.local_radius + 1 or nil
    local h = norm(x, l[0], c)
    x = x + attention(l[0][name], h, h, c, options)
    x = mlp(l[1], x, c)
  end
  return rms_norm(x, stack.final_layer_norm, c.layer_norm_epsilon)
end

local function decode(c, states)
  local stack, x = module("decoder"), embed(c)
  for i = 0, (c.num_decoder_layers or c.num_layers) - 1 do
    local l = stack.block[i].layer
    local h = norm(x, l[0], c)
    x = x + attention(l[0].SelfAttention, h, h, c, biases(stack, "SelfAttention", i, false, c))
    x = x + attention(l[1].EncDecAttention, norm(x, l[1], c), states, c, { cross = true, scale = 1 })
    x = mlp(l[2], x, c)
  end
  return rms_norm(x, stack.final_layer_norm, c.layer_norm_epsilon)
end

-- Whether the states before the head are scaled: where it is the embedding, unless the configuration says so itself.
local function scales_states(c, own)
  if c.model_type == "mt5" then
    if not has(own.weight, c.tie_word_embeddings == false) then
      error("an mT5 whose head is the embedding is not known", 0)
    end
    return false
  elseif c.scale_decoder_outputs ~= nil then
    return c.scale_decoder_outputs
  end
  return c.tie_word_embeddings ~= false
end

return encoder_decoder {
  architectures = {
    "T5ForConditionalGeneration", "MT5ForConditionalGeneration", "UMT5ForConditionalGeneration",
    "LongT5ForConditionalGeneration",
  },
  encode = encode, decode = decode,
  head = function(c, x)
    local own = module("lm_head")
    if scales_states(c, own) then
      x = x * c.d_model ^ -0.5
    end
    local table = has(own.weight, c.tie_word_embeddings == false) and own or module("shared")
    return graph.matmul(x, weight(table.weight, c.vocab_size, c.d_model), "lm_head")
  end,
}
