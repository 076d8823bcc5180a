-- Granite's frame: Llama with factors of embedding, residual, scores and logits, and experts in its feed-forward blocks.

-- Fields of `d`, beside those of causal_lm():
--   attention  function(l, c, i): what decoder_layer() takes as attention
function granite_lm(d)
  local attention = d.attention
  d.attention = nil -- not causal_lm's

  function d.embed(_, x, c)
    return x * c.embedding_multiplier
  end

  function d.layer(l, x, c, i)
    return decoder_layer(l, x, c, {
      scale = c.residual_multiplier, attention = attention(l, c, i), mlp = granite_feed_forward(l, c),
    })
  end

  function d.logits(y, c)
    return y / c.logits_scaling
  end

  return causal_lm(d)
end

-- Options of self_attention(). `more` has those that are not the same in all of Granite's models.
function granite_attention(c, more)
  more.scale, more.bias, more.output_bias = c.attention_multiplier, c.attention_bias, c.attention_bias
  return more
end

local function experts(m, x, c)
  local new = has(m.router.weight)
  local router = new and m.router or m.router.layer
  local chosen, weights = softmax_of_chosen(router(x, c.num_local_experts), c.num_experts_per_tok)
  return mixture_of_experts(new and m.experts or m, x, chosen, weights, {
    experts = c.num_local_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    packed = true, gate_up = not new and "input_linear.weight" or nil, packed_down = not new and "output_linear.weight" or nil,
  })
end

-- The feed-forward block as a function: experts, a shared one beside them, or the shared one alone; false for Llama's.
function granite_feed_forward(l, c)
  local routed = (c.num_local_experts or 0) > 0
  local shared = (c.shared_intermediate_size or 0) > 0
  return (routed or shared) and function(h)
    local y = routed and experts(l.block_sparse_moe, h, c)
    if not shared then
      return y
    end
    local m, act = l.shared_mlp, activation(c.hidden_act)
    local z = fused_gated_mlp(m.input_linear, m.output_linear, h, c.shared_intermediate_size, act)
    return y and y + z or z
  end
end
