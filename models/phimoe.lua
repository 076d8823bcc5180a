-- One of the two choices: softmax over the scores that are not much smaller than the largest, m. `excluded` is what to take off
-- each score first. The ramps are so steep that they are 0 or all.
local steep, far = 1e37, 1e30

local function choice(scores, chosen, jitter, excluded)
  local candidates = excluded and scores - excluded or scores
  local m = take(candidates, chosen)
  local size = relu(scores) + relu(-scores)
  local factor = relu(size - m) + m
  local smaller = (m - scores) / factor - 2 * jitter
  return take(softmax(candidates - clamp(smaller * steep, 0, far)), chosen)
end

-- SparseMixer (Liu et al., 2023) as it runs without training.
local function sparse_mixer(scores, jitter)
  local chosen = top_k(scores, 2)
  local first, second = chosen:split({ 1, 1 })
  local is_first = clamp((scores - take(scores, first)) * steep + far, 0, far)
  return chosen, concat({ choice(scores, first, jitter), choice(scores, second, jitter, is_first) })
end

local function sparse_mlp(m, x, c)
  local chosen, weights = sparse_mixer(m.gate(x, c.num_local_experts), c.router_jitter_noise)
  return mixture_of_experts(m.experts, x, chosen, weights, {
    experts = c.num_local_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    gate = "w1", up = "w3", down = "w2",
  })
end

return causal_lm {
  architectures = { "PhimoeForCausalLM", "PhiMoEForCausalLM" },
  head_bias = function(c) return c.lm_head_bias end,
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.rms_norm_eps),
      attention = {
        window = window(c, i), bias = c.attention_bias, output_bias = c.attention_bias, rope = { recomputed = true },
      },
      mlp = function(h) return sparse_mlp(l.block_sparse_moe, h, c) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.norm, c.rms_norm_eps)
  end,
}
