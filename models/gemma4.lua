-- Gemma 4: layers that see everything have wider and fewer key-value heads; their keys may serve as values, too, and the last layers may
-- use the keys and values of an earlier one of their kind. Optional: experts beside the MLP, an embedding of the token for each layer.
local function plain_norm(y, c)
  return graph.rms_norm(y, nil, nil, { eps = c.rms_norm_eps })
end

-- Keys and values of the last layer of each kind that has its own.
local stored = {}

local function attention(m, x, c, i)
  local kind, bias = layer_type(c, i), { bias = c.attention_bias }
  local full, norm, rotary = kind == "full_attention", rms_norms(c.rms_norm_eps), { layer_type = kind }
  local same = full and c.attention_k_eq_v
  local d = full and c.global_head_dim or of_layer(c, "head_dim", i)
  local kv_heads = same and c.num_global_key_value_heads or of_layer(c, "num_key_value_heads", i)
  local q = rope(norm(m.q_proj(x, c.num_attention_heads, d, bias), m.q_norm), c, rotary)
  if i <= c.num_hidden_layers - c.num_kv_shared_layers then
    local k = m.k_proj(x, kv_heads, d, bias)
    local v = same and k or m.v_proj(x, kv_heads, d, bias)
    stored[kind] = { rope(norm(k, m.k_norm), c, rotary), plain_norm(v, c) }
  end
  local y = attend(q, stored[kind][1], stored[kind][2], { scale = 1, window = window(c, i) })
  return m.o_proj(y, x:size(), bias)
end

-- The chosen experts' weights make up one, before each expert's own factor.
local function experts(l, x, c, act)
  local m, norm = l.router, rms_norms(c.rms_norm_eps)
  local scaled = plain_norm(x, c) * weight(m.scale, x:size()) * x:size() ^ -0.5
  local probabilities = softmax(m.proj(scaled, c.num_experts))
  local chosen = top_k(probabilities, c.top_k_experts)
  local weights = take(probabilities * weight(m.per_expert_scale, c.num_experts), chosen)
    / graph.sum(take(probabilities, chosen))
  return mixture_of_experts(l.experts, norm(x, l.pre_feedforward_layernorm_2), chosen, weights,
    { experts = c.num_experts, intermediate = c.moe_intermediate_size, act = act, packed = true })
end

local function feed_forward(l, x, c, i)
  local act, norm = activation(c.hidden_activation), rms_norms(c.rms_norm_eps)
  local wide = c.use_double_wide_mlp and i > c.num_hidden_layers - c.num_kv_shared_layers
  local y = gated_mlp(l.mlp, norm(x, l.pre_feedforward_layernorm), c.intermediate_size * (wide and 2 or 1), act)
  if c.enable_moe_block then
    y = norm(y, l.post_feedforward_layernorm_1) + norm(experts(l, x, c, act), l.post_feedforward_layernorm_2)
  end
  return x + norm(y, l.post_feedforward_layernorm)
end

-- What the token brings to every layer, [tokens, layers, width].
local per_layer

local function per_layer_inputs(m, x, c)
  local layers, width = c.num_hidden_layers, c.hidden_size_per_layer_input
  local y = m.per_layer_model_projection(x, layers, width) * x:size() ^ -0.5
  local own = embedding(token_ids(), m.embed_tokens_per_layer, c.vocab_size_per_layer_input, layers * width)
  return (rms_norm(y, m.per_layer_projection_norm, c.rms_norm_eps) + own:reshape(layers, width) * math.sqrt(width)) * 2 ^ -0.5
end

local function add_per_layer_input(l, x, c, i)
  local width = c.hidden_size_per_layer_input
  local gate = activation(c.hidden_activation)(l.per_layer_input_gate(x, width))
  local y = l.per_layer_projection(gate * per_layer:slice(i - 1, i, 1):reshape(width), x:size())
  return x + rms_norm(y, l.post_per_layer_input_norm, c.rms_norm_eps)
end

return causal_lm {
  architectures = { "Gemma4ForCausalLM", "Gemma4ForConditionalGeneration" },
  tied = true,
  embed = function(m, x, c)
    x = x * math.sqrt(c.hidden_size)
    per_layer = (c.hidden_size_per_layer_input or 0) > 0 and per_layer_inputs(m, x, c) or nil
    return x
  end,
  layer = function(l, x, c, i)
    local norm = rms_norms(c.rms_norm_eps)
    x = x + norm(attention(l.self_attn, norm(x, l.input_layernorm), c, i), l.post_attention_layernorm)
    x = feed_forward(l, x, c, i)
    x = per_layer and add_per_layer_input(l, x, c, i) or x
    return x * weight(l.layer_scalar, 1)
  end,
  logits = function(y, c)
    return softcap(y, c.final_logit_softcapping)
  end,
}
