-- The frame of a decoder: embedding, layers, final norm, vocabulary.

-- Fields of `d` (all but architectures and layer have the values of a Llama where absent):
--   architectures  names in config.json that this definition serves
--   layer          function(l, x, c, i): the layer's result; l is its module, i counts from 1
--   base           module of everything but the head, or function(c): "model", or where a model of text and images has it
--   embedding, layers, head  names of the token embedding ("embed_tokens"), the layers ("layers") and the head ("lm_head",
--                  beside the base), or function(c) for the last
--   width          function(c): width of the token embedding (hidden_size)
--   embed          function(m, x, c): what the embedding becomes before the first layer; m is the base
--   norm           function(m, x, c): what the last layer's result becomes before the head
--   logits         function(y, c): what the head's result becomes
--   head_bias      function(c): whether the head has a bias where no checkpoint tells
--   tied           whether the head is the embedding where neither configuration, checkpoint nor the configuration's class tells; "never": whatever they tell
local fields = {
  "architectures", "layer", "base", "embedding", "layers", "head", "width", "embed", "norm", "logits", "head_bias", "tied",
}

-- An error where the configuration lets tokens attend to later ones: weights of that kind give wrong text as a decoder's.
-- ("vision" does so among the tokens of an image.)
function refuse_attention_to_later(c)
  local both = c.use_bidirectional_attention
  if c.is_causal == false then
    error("is_causal is false: attention to later tokens is not known of this architecture", 0)
  elseif both and both ~= "vision" then
    error("use_bidirectional_attention is " .. tostring(both) .. ": attention to later tokens is not known of this architecture", 0)
  end
end

function causal_lm(d)
  check_names(d, fields, "causal_lm")
  if type(d.layer) ~= "function" then
    error("causal_lm wants a function(l, x, c, i) as its layer", 0)
  end

  -- What the definition's function `name` made of x, which has so many numbers for each token.
  local function checked(y, name, width)
    if type(y) ~= "userdata" then
      error(name .. " returns " .. type(y) .. ", wanted a tensor", 0)
    elseif y:size() ~= width then
      error(name .. " returns " .. y:size() .. " numbers for each token, wanted " .. width, 0)
    end
    return y
  end

  local function text_base(embedding_name)
    for _, base in ipairs({ "language_model.model", "model.language_model" }) do
      for _, name in ipairs({ embedding_name, "norm" }) do
        if graph.weight_shape(base .. "." .. name .. ".weight") and not has(module("model")[name].weight) then
          return base
        end
      end
    end
    return "model"
  end

  local function num_layers(c)
    local kinds = c.layers_block_type or c.layer_types
    if not c.num_hidden_layers and not kinds then
      error("the configuration has no num_hidden_layers", 0)
    end
    return c.num_hidden_layers or #kinds
  end

  -- A head of its own that the checkpoint has counts, whatever the configuration says: as in Transformers, which ties only what
  -- is stored once or equal.
  local function is_tied(c, head)
    if d.tied == "never" or c.tie_word_embeddings == false then
      return false
    end
    local by_default = c.tied_by_default
    if by_default == nil then
      by_default = d.tied ~= false
    end
    return not has(head.weight, not (c.tie_word_embeddings or by_default))
  end

  -- The module of the token embedding; of a tied pair of which the checkpoint has the head alone, the head.
  local function token_embedding(c, embed_tokens, head)
    local can_be_tied = d.tied ~= "never" and c.tie_word_embeddings ~= false
    return can_be_tied and not has(embed_tokens.weight, true) and has(head.weight, false) and head or embed_tokens
  end

  local function decode(c)
    refuse_attention_to_later(c)
    local base = type(d.base) == "function" and d.base(c) or d.base or text_base(d.embedding or "embed_tokens")
    local m = module(base)
    local own = type(d.head) == "function" and d.head(c) or d.head
    local head = module(own or (base == "language_model.model" and "language_model.lm_head" or "lm_head"))
    local embed_tokens = token_embedding(c, m[d.embedding or "embed_tokens"], head)
    local x = embedding(token_ids(), embed_tokens, c.vocab_size, d.width and d.width(c) or c.hidden_size)
    if d.embed then
      x = checked(d.embed(m, x, c), "embed", c.hidden_size)
    end
    local layers = m[d.layers or "layers"]
    for i = 1, num_layers(c) do
      x = checked(d.layer(layers[i - 1], x, c, i), "layer " .. i, x:size())
    end
    x = graph.gather_rows(x, graph.output_rows())
    x = d.norm and d.norm(m, x, c) or rms_norm(x, m.norm, c.rms_norm_eps)
    local bias, y = d.head_bias and d.head_bias(c), nil
    if is_tied(c, head) then
      y = graph.matmul(x, weight(embed_tokens.weight, c.vocab_size, x:size()), path(head))
      y = has(head.bias, bias) and y + weight(head.bias, c.vocab_size) or y
    else
      y = head(x, c.vocab_size, { bias = bias })
    end
    return d.logits and d.logits(y, c) or y
  end

  d.outputs = { { "decode", decode } }
  return d
end
