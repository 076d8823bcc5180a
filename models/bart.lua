-- BART and its descendants: biased linears, layer norms, a window in LED's encoder. They differ in where norms stand and in positions.
--   base         module of both halves ("model")
--   first        row of position 0 in the tables (0); "padding": that behind the row for padding
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
  m2m_100 = { first = "padding", sines = "closed", pre_norm = "layer_norm" },
  fsmt = { first = "padding", sines = "closed" },
}

local function family_of(c)
  if c.use_prompt then
    error("use_prompt: prompts of every layer are not known", 0)
  elseif c.attention_type and c.attention_type ~= "original_full" then
    error("attention_type " .. tostring(c.attention_type) .. ", of which only original_full is known", 0)
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

local function mlp(l, width, c)
  return function(h)
    return biased(l.fc2, activation(c.activation_function)(biased(l.fc1, h, width)), c.d_model)
  end
end

-- The two halves by their numbers.
local function encoder_of(c)
  return {
    name = "encoder", layers = c.encoder_layers, heads = c.encoder_attention_heads, width = c.encoder_ffn_dim,
    positions = c.max_encoder_position_embeddings or c.max_position_embeddings,
    vocabulary = c.model_type == "fsmt" and c.src_vocab_size or c.vocab_size,
  }
end

local function decoder_of(c)
  local own = c.share_encoder_decoder_embeddings == false and c.decoder_vocab_size
  return {
    name = "decoder", layers = c.decoder_layers, heads = c.decoder_attention_heads, width = c.decoder_ffn_dim,
    positions = c.max_decoder_position_embeddings or c.max_position_embeddings,
    vocabulary = c.model_type == "fsmt" and c.tgt_vocab_size or own or c.vocab_size,
  }
end

local function token_table(base, h, c)
  local own = base[h.name].embed_tokens
  if c.model_type == "fsmt" then
    return h.name == "encoder" and own or base.decoder.output_projection
  elseif c.share_encoder_decoder_embeddings == false then
    return own
  elseif c.tie_word_embeddings == false then
    return has(own.weight, false) and own or base.shared
  end
  return has(base.shared.weight, true) and base.shared or own
end

local function embed(base, h, f, c)
  local m, first, at = base[h.name], f.first or 0, nil
  first = first == "padding" and c.pad_token_id + 1 or first
  local x = embedding(token_ids(), token_table(base, h, c), h.vocabulary, c.d_model)
  x = c.scale_embedding and x * math.sqrt(c.d_model) or x
  if has(m.embed_positions.weight, not f.sines) then
    at = learned_positions(m.embed_positions, h.positions, c.d_model, f.first and first)
  else
    at = sines_of_positions(c.d_model, first, f.sines == "closed")
  end
  x = x + at
  return f.embed_norm and norm(x, m.layernorm_embedding) or x
end

local encoders_own = { led = "longformer_self_attn", bigbird_pegasus = "self" }

-- What attention of layer i to the half's own text is told.
local function own_attention(h, c, i)
  if h.name == "decoder" then
    return {}
  end
  local reach = c.model_type == "led" and of_layer(c, "attention_window", i)
  return { bidirectional = true, own = encoders_own[c.model_type], window = reach and reach // 2 + 1 or nil }
end

-- The last states of a half; `states` are those of the text that a decoder attends to.
local function half(h, c, states)
  local f = family_of(c)
  local base = module(f.base or "model")
  local m, x = base[h.name], embed(base, h, f, c)
  local function add(name, l, block)
    x = residual(x, function(y) return norm(y, l[name]) end, f.pre_norm, block)
  end
  for i = 1, h.layers do
    local l = m.layers[i - 1]
    add("self_attn_layer_norm", l, function(y) return attention(l.self_attn, y, y, h.heads, c, own_attention(h, c, i)) end)
    if states then
      add("encoder_attn_layer_norm", l, function(y)
        return attention(l.encoder_attn, y, states, h.heads, c, { cross = true })
      end)
    end
    add("final_layer_norm", l, mlp(l, h.width, c))
  end
  return f.pre_norm and norm(x, m[f.pre_norm]) or x
end

local function head(c, x)
  local base, h, bias = module(family_of(c).base or "model"), decoder_of(c), module("final_logits_bias")
  local shared, own = token_table(base, h, c), module("lm_head")
  local is_own = c.model_type ~= "fsmt" and has(own.weight, c.tie_word_embeddings == false)
  local y = graph.matmul(x, weight((is_own and own or shared).weight, h.vocabulary, c.d_model), "lm_head")
  return has(bias, c.model_type ~= "m2m_100" and c.model_type ~= "fsmt") and y + weight(bias, 1, h.vocabulary) or y
end

return encoder_decoder {
  architectures = {
    "BartForConditionalGeneration", "MvpForConditionalGeneration", "PLBartForConditionalGeneration",
    "MBartForConditionalGeneration", "LEDForConditionalGeneration", "BlenderbotForConditionalGeneration",
    "PegasusForConditionalGeneration", "BigBirdPegasusForConditionalGeneration", "MarianMTModel",
    "M2M100ForConditionalGeneration", "FSMTForConditionalGeneration",
  },
  encode = function(c) return half(encoder_of(c), c) end,
  decode = function(c, states) return half(decoder_of(c), c, states) end,
  head = head,
}
