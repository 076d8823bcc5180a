-- Mixtures of experts.

-- A linear of every expert: m.EXPERT.name.weight for EXPERT from 0. x is [experts, routed, in].
local function expert_linear(m, name, x, experts, out)
  local w = graph.weight(path(m) .. ".*." .. name .. ".weight", { out, x:size() }, experts)
  return graph.matmul(x, w, path(m) .. ".*." .. name)
end

-- Applies a gated MLP of every expert to the tokens that chose it and sums each token's results with its weights.
-- `chosen` and `weights` are [tokens, k]. Options: experts, intermediate, act; gate, up, down: names of the linears.
function mixture_of_experts(m, x, chosen, weights, options)
  local n, o = options.experts, options
  local rows = graph.dispatch(x, chosen, n)
  local gate = expert_linear(m, o.gate or "gate_proj", rows, n, o.intermediate)
  local up = expert_linear(m, o.up or "up_proj", rows, n, o.intermediate)
  local down = expert_linear(m, o.down or "down_proj", o.act(gate) * up, n, x:size())
  return graph.combine(down, chosen, weights)
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
