-- BART and its descendants: biased linears, layer norms, a window in LED's encoder. They differ in where norms stand and in positions.
--   base         module of both halves ("model")
--   first        row of position 0 in the tables (0)
--   sines        positions are sines where there is no table: "open" or "closed" (sines_of_positions)
--   embed_norm   the embeddings are normalised
--   pre_norm     norms stand before the blocks, and one, of this name, behind the last
local bart = { first = 2, embed_norm = true }
local families = {
  bart = bart, mvp = bart, plbart = bart,
  mbart = { first = 2, embed_norm = true, pre_norm = "layer_norm" },
  led = { base = "led", embed_norm = true },
  blenderbot = { pre_norm = "layer_norm" },
  pegasus = { sines = "open", pre_norm = "layer_norm" },
  bigbird_pegasus = { pre_norm = "layernorm_embedding" },
  marian = { sines = "open" },
  m2m_100 = { first = 2, sines = "closed", pre_norm = "layer_norm" },
  fsmt = { first = 2, sines = "closed" },
}

local function family_of(c)
  if c.use_prompt then
    error("use_prompt: prompts of every layer are not known", 0)
  elseif c.attention_type and c.attention_type ~= "original_full" then
    error("attention_type " .. tostring(c.attention_type) .. ", of which only original_full is known", 0)
  elseif c.share_encoder_decoder_embeddings == false then
    error("share_encoder_decoder_embeddings: only shared ones are known", 0)
  end
  return families[c.model_type]
end

local function norm(x, m)
  return layer_norm(x, m, 1e-5)
end

-- Attention of x to the states y, by projections of these names. Two families keep their encoder's in a module of its own.
local function attention(m, x, y, heads, c, options)
  local d, bias = c.d_model // heads, { bias = c.use_bias ~= false }
  local own = options.own
  local q_proj, k_proj, v_proj = m.q_proj, m.k_proj, m.v_proj
  if own then
    q_proj, k_proj, v_proj = m[own].query, m[own].key, m[own].value
  end
  local plain = { bidirectional = options.bidirectional, cross = options.cross, window = options.window }
  local a = attend(q_proj(x, heads, d, bias), k_proj(y, heads, d, bias), v_proj(y, heads, d, bias), plain)
  return (own and m.output or m.out_proj)(a, c.d_model, bias)
end

-- A block and its residual, with the norm where the family has it.
local function block(x, m, f, block_of)
  if f.pre_norm then
    return x + block_of(norm(x, m))
  end
  return norm(x + block_of(x), m)
end

local function mlp(l, width, c)
  return function(h)
    return biased(l.fc2, activation(c.activation_function)(biased(l.fc1, h, width)), c.d_model)
  end
end

local function embed(m, table, vocabulary, limit, f, c)
  local x = embedding(token_ids(), table, vocabulary, c.d_model)
  x = c.scale_embedding and x * math.sqrt(c.d_model) or x
  local first, at = f.first or 0, nil
  if has(m.embed_positions.weight, not f.sines) then
    at = learned_positions(m.embed_positions, limit, c.d_model, f.first)
  else
    at = sines_of_positions(c.d_model, first, f.sines == "closed")
  end
  x = x + at
  return f.embed_norm and norm(x, m.layernorm_embedding) or x
end

local encoders_own = { led = "longformer_self_attn", bigbird_pegasus = "self" }

local function encode(c)
  local f = family_of(c)
  local base = module(f.base or "model")
  local m, fsmt = base.encoder, c.model_type == "fsmt"
  local x = embed(m, fsmt and m.embed_tokens or base.shared, fsmt and c.src_vocab_size or c.vocab_size,
    c.max_encoder_position_embeddings or c.max_position_embeddings, f, c)
  for i = 1, c.encoder_layers do
    local l, reach = m.layers[i - 1], c.model_type == "led" and of_layer(c, "attention_window", i)
    x = block(x, l.self_attn_layer_norm, f, function(h)
      return attention(l.self_attn, h, h, c.encoder_attention_heads, c, {
        bidirectional = true, own = encoders_own[c.model_type], window = reach and reach // 2 + 1 or nil,
      })
    end)
    x = block(x, l.final_layer_norm, f, mlp(l, c.encoder_ffn_dim, c))
  end
  return f.pre_norm and norm(x, m[f.pre_norm]) or x
end

local function decode(c, states)
  local f = family_of(c)
  local base = module(f.base or "model")
  local m, fsmt = base.decoder, c.model_type == "fsmt"
  local x = embed(m, fsmt and m.output_projection or base.shared, fsmt and c.tgt_vocab_size or c.vocab_size,
    c.max_decoder_position_embeddings or c.max_position_embeddings, f, c)
  for i = 1, c.decoder_layers do
    local l, heads = m.layers[i - 1], c.decoder_attention_heads
    x = block(x, l.self_attn_layer_norm, f, function(h) return attention(l.self_attn, h, h, heads, c, {}) end)
    x = block(x, l.encoder_attn_layer_norm, f, function(h)
      return attention(l.encoder_attn, h, states, heads, c, { cross = true })
    end)
    x = block(x, l.final_layer_norm, f, mlp(l, c.decoder_ffn_dim, c))
  end
  return f.pre_norm and norm(x, m[f.pre_norm]) or x
end

local function head(c, x)
  local base, table, bias = module(family_of(c).base or "model"), nil, module("final_logits_bias")
  if c.model_type == "fsmt" then
    return graph.matmul(x, weight(base.decoder.output_projection.weight, c.tgt_vocab_size, c.d_model), "output_projection")
  end
  local own = module("lm_head").weight
  table = weight(has(own, false) and own or base.shared.weight, c.vocab_size, c.d_model)
  local y = graph.matmul(x, table, "lm_head")
  return has(bias, c.model_type ~= "m2m_100") and y + weight(bias, 1, c.vocab_size) or y
end

return encoder_decoder {
  architectures = {
    "BartForConditionalGeneration", "MvpForConditionalGeneration", "PLBartForConditionalGeneration",
    "MBartForConditionalGeneration", "LEDForConditionalGeneration", "BlenderbotForConditionalGeneration",
    "PegasusForConditionalGeneration", "BigBirdPegasusForConditionalGeneration", "MarianMTModel",
    "M2M100ForConditionalGeneration", "FSMTForConditionalGeneration",
  },
  encode = encode, decode = decode, head = head,
}
