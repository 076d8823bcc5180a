-- Mixtures of experts.

-- What `body` makes of the rows [experts, routed, width] of every expert, summed for each token with its weights. `chosen` and
-- `weights` are [tokens, k].
function dispatched(x, chosen, weights, experts, body)
  return graph.combine(body(graph.dispatch(x, chosen, experts)), chosen, weights)
end

-- A linear of every expert, stored expert by expert as m.EXPERT.name.weight for EXPERT from 0, with m.EXPERT.name.bias where there is
-- one, or as one m.name [experts, out, in]. x is [experts, routed, in].
function expert_linear(m, name, x, experts, out)
  if graph.weight_shape(path(m[name])) then
    return graph.matmul(x, weight(m[name], experts, out, x:size()), path(m[name]))
  end
  local each = path(m) .. ".*." .. name
  local y = graph.matmul(x, graph.weight(each .. ".weight", { out, x:size() }, experts), each)
  if has(m[0][name].bias) then
    y = y + graph.weight(each .. ".bias", { out }, experts):reshape(experts, 1, out)
  end
  return y
end

-- Weights [experts, out, width] of a linear of every expert, stored as one tensor, or as [experts, width, out] if that is what
-- the checkpoint has; `transposed` decides where both are the same. MXFP4 blocks lie along the width of the first form.
function packed_weight(tensor, experts, out, width, transposed)
  if graph.weight_shape(path(tensor) .. "_blocks") then
    return graph.weight(path(tensor) .. "_blocks", { experts, out, width })
  end
  local stored = graph.weight_shape(path(tensor))
  if stored and out ~= width then
    transposed = stored[2] == width
  end
  if transposed then
    return weight(tensor, experts, width, out):transpose(0, 2, 1)
  end
  return weight(tensor, experts, out, width)
end

-- Whether the checkpoint has packed experts' weights as [experts, in, out]: as the first that is not square tells.
local function are_transposed(gate_up, down, intermediate, width, fallback)
  for _, tensor in ipairs({ { gate_up, width }, { down, intermediate } }) do
    local stored = graph.weight_shape(path(tensor[1]))
    if stored and stored[2] ~= stored[3] then
      return stored[2] == tensor[2]
    end
  end
  return fallback
end

-- A gated MLP of every expert. Options: experts, intermediate, act; gate, up, down: names of the linears of experts stored one
-- by one; packed: whether they are stored together where no checkpoint tells, as gate_up and down (names), transposed or not.
local mixture_options = {
  "experts", "intermediate", "act", "gate", "up", "down", "gate_up", "packed_down", "packed", "transposed",
}

function mixture_of_experts(m, x, chosen, weights, options)
  check_names(options, mixture_options, "mixture_of_experts")
  local o = options
  local function separate(rows)
    local gate = expert_linear(m, o.gate or "gate_proj", rows, o.experts, o.intermediate)
    local up = expert_linear(m, o.up or "up_proj", rows, o.experts, o.intermediate)
    return expert_linear(m, o.down or "down_proj", o.act(gate) * up, o.experts, x:size())
  end
  local gate_up, down = m[o.gate_up or "gate_up_proj"], m[o.packed_down or "down_proj"]
  local function packed(rows)
    local transposed = are_transposed(gate_up, down, o.intermediate, x:size(), o.transposed)
    local w = packed_weight(gate_up, o.experts, 2 * o.intermediate, x:size(), transposed)
    local gate, up = graph.matmul(rows, w, path(gate_up)):split({ o.intermediate, o.intermediate })
    w = packed_weight(down, o.experts, x:size(), o.intermediate, transposed)
    return graph.matmul(o.act(gate) * up, w, path(down))
  end
  return dispatched(x, chosen, weights, o.experts, has(gate_up, o.packed) and packed or separate)
end

-- The k largest of softmax(scores) and their indices; `normalize` makes each token's weights add up to one.
function softmax_routing(scores, k, normalize)
  local probabilities = softmax(scores)
  local chosen = top_k(probabilities, k)
  local weights = take(probabilities, chosen)
  if normalize then
    weights = weights / graph.sum(weights)
  end
  return chosen, weights
end

-- The k largest scores, weighted by the softmax of these alone.
function softmax_of_chosen(scores, k)
  local chosen = top_k(scores, k)
  return chosen, softmax(take(scores, chosen))
end

-- DeepSeek-V3's choice: by sigmoid(scores) + bias among the experts of the best groups, weighted by sigmoid(scores). Options
-- are configuration keys: num_experts_per_tok, n_group, topk_group, norm_topk_prob, routed_scaling_factor. `bias` is its tensor
-- (m.e_score_correction_bias), or false for none.
function sigmoid_routing(m, x, experts, options, bias)
  local o = options
  local scores = sigmoid(m(x, experts))
  local biased = bias == false and scores or scores + weight(bias or m.e_score_correction_bias, experts)
  local chosen = top_k(biased, o.num_experts_per_tok, {
    groups = o.n_group or 1, kept_groups = o.topk_group or 1, best_of_group = math.min(2, experts // (o.n_group or 1)),
  })
  local weights = take(scores, chosen)
  if o.norm_topk_prob then
    weights = weights / (graph.sum(weights) + 1e-20)
  end
  return chosen, weights * (o.routed_scaling_factor or 1)
end

-- Whether layer i (from 1) has experts, by whichever of its keys a configuration tells it.
function is_sparse(c, i)
  if c.mlp_layer_types then
    return c.mlp_layer_types[i] == "sparse"
  end
  if in_layers(c.mlp_only_layers, i) then
    return false
  end
  if c.first_k_dense_replace then
    return i > c.first_k_dense_replace and (i - 1) % (c.moe_layer_freq or 1) == 0
  end
  return (c.num_experts or c.n_routed_experts or 0) > 0 and i % (c.decoder_sparse_step or 1) == 0
end

-- Softmax over all experts, m.gate and m.experts. `normalize` as in softmax_routing(): what the configuration says where absent.
function softmax_moe(m, x, c, intermediate, normalize)
  if normalize == nil then
    normalize = c.norm_topk_prob
  end
  local chosen, weights = softmax_routing(m.gate(x, c.num_experts), c.num_experts_per_tok, normalize)
  return mixture_of_experts(m.experts, x, chosen, weights,
    { experts = c.num_experts, intermediate = intermediate, act = activation(c.hidden_act) })
end

-- Mixtral's block: softmax over all experts, the chosen ones' weights made to add up to one.
function mixtral_mlp(m, x, c)
  local experts = c.num_local_experts or c.num_experts
  local chosen, weights = softmax_routing(m.gate(x, experts), c.num_experts_per_tok, true)
  return mixture_of_experts(m.experts, x, chosen, weights, {
    experts = experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    gate = "w1", up = "w3", down = "w2",
  })
end

-- Qwen's block: experts and one shared by all tokens, behind a gate.
function gated_shared_moe(m, x, c, normalize)
  local routed = softmax_moe(m, x, c, c.moe_intermediate_size, normalize)
  local shared = gated_mlp(m.shared_expert, x, c.shared_expert_intermediate_size, activation(c.hidden_act))
  return routed + shared * sigmoid(m.shared_expert_gate(x, 1))
end

-- DeepSeek's block: experts and a few shared by all tokens. `routing` is a function(gate module, x, c), DeepSeek-V3's by default.
function shared_and_routed(m, x, c, routing)
  local act, experts = activation(c.hidden_act), c.n_routed_experts or c.num_experts
  local shared = c.n_shared_experts or c.num_shared_experts or 0
  local chosen, weights
  if routing then
    chosen, weights = routing(m.gate, x, c)
  else
    local inside = m.gate.e_score_correction_bias
    chosen, weights = sigmoid_routing(m.gate, x, experts, c, has(inside, true) and inside or m.e_score_correction_bias)
  end
  local y = mixture_of_experts(m.experts, x, chosen, weights,
    { experts = experts, intermediate = c.moe_intermediate_size, act = act })
  return shared > 0 and y + gated_mlp(m.shared_experts, x, c.moe_intermediate_size * shared, act) or y
end
