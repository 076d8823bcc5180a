-- Modules, weights and the plain layers. Everything here is a global function of every definition.

-- The `__index` of a definition's globals: an unknown name is an error, not nil.
local shared = _G
function read_global(_, name)
  local value = shared[name]
  if value == nil then
    error("unknown name '" .. tostring(name) .. "'", 0)
  end
  return value
end

-- Whether `list`, which may be nil, holds `value`.
function contains(list, value)
  for _, entry in ipairs(list or {}) do
    if entry == value then
      return true
    end
  end
  return false
end

-- Whether layer i (from 1) is in a configuration's list of layers, which may be nil and counts from 0. A list is looked through
-- once, not once for each layer.
local sets = setmetatable({}, { __mode = "k" })

function in_layers(list, i)
  if not list then
    return false
  end
  local set = sets[list] or {}
  if not sets[list] then
    for _, entry in ipairs(list) do
      set[entry] = true
    end
    sets[list] = set
  end
  return set[i - 1] == true
end

-- An error where the table `options`, which may be nil, has a name that is not among `known`: a forgotten letter must not go unnoticed.
function check_names(options, known, what)
  for name in pairs(options or {}) do
    if not contains(known, name) then
      error(what .. " has no '" .. tostring(name) .. "', but " .. table.concat(known, ", "), 0)
    end
  end
end

-- A module is a path in the checkpoint: m.self_attn.q_proj. Indexing one gives its child, calling one applies it as a linear.
local Module = {}
local path_of = setmetatable({}, { __mode = "k" })

function module(path)
  local m = setmetatable({}, Module)
  path_of[m] = path
  return m
end

function Module.__index(m, child)
  local path = path_of[m]
  return module(path == "" and tostring(child) or path .. "." .. tostring(child))
end

function Module.__call(m, x, ...)
  return linear(m, x, ...)
end

function Module.__newindex(m)
  error("module " .. path_of[m] .. " cannot be assigned to", 0)
end

function Module.__tostring(m)
  return path_of[m]
end

-- Module path as text; an error that names what came instead.
function path(m)
  local p = path_of[m]
  if p == nil then
    error("wanted a module such as m.q_proj, got " .. tostring(m), 0)
  end
  return p
end

-- The tensor of exactly this module's name, with these extents where they are given (-1 for any).
function weight(m, ...)
  local extents = { ... }
  return graph.weight(path(m), #extents > 0 and extents or nil)
end

-- Whether the checkpoint has this tensor. Without a checkpoint `fallback` answers.
function has(m, fallback)
  return graph.has_weight(path(m), fallback)
end

local function product(list)
  local p = 1
  for _, n in ipairs(list) do
    p = p * n
  end
  return p
end

-- Merges all but the first `keep` dimensions of x into one.
local function flatten(x, keep)
  local extents = {}
  for i = 2, keep do
    extents[#extents + 1] = x:size(i - 1)
  end
  local merged = 1
  for i = keep, x:num_dims() - 1 do
    merged = merged * x:size(i)
  end
  extents[#extents + 1] = merged
  return x:reshape(table.unpack(extents))
end

-- y = x W^T + b with W = m.weight and b = m.bias, if there is one. The sizes after x shape the output features: m.q_proj(x,
-- heads, head_dim) gives [tokens, heads, head_dim]. Without sizes the checkpoint's count. A last argument may be a table:
-- transposed: the checkpoint stores W as [in, out]; bias: whether there is one where no checkpoint tells.
function linear(m, x, ...)
  local sizes = { ... }
  if select("#", ...) > 0 and sizes[1] == nil then
    error("the size of " .. path(m) .. " is nil: the configuration lacks the key that it is read from", 0)
  end
  local options = type(sizes[#sizes]) == "table" and table.remove(sizes) or {}
  check_names(options, { "bias", "transposed" }, path(m))
  if x:num_dims() > 2 then
    x = flatten(x, 1)
  end
  local out = #sizes > 0 and product(sizes) or -1
  local w
  if options.transposed then
    w = weight(m.weight, x:size(), out):transpose(1, 0)
  else
    w = weight(m.weight, out, x:size())
  end
  local y = graph.matmul(x, w, path(m))
  if has(m.bias, options.bias) then
    y = y + weight(m.bias, w:size(0))
  end
  if #sizes > 1 then
    y = y:reshape(table.unpack(sizes))
  end
  return y
end

-- Rows of m.weight [rows, width] by index.
function embedding(ids, m, rows, width)
  return graph.embedding(ids, weight(m.weight, rows or -1, width or -1))
end

-- What a norm of module m adds under its root.
local function checked_eps(eps, m)
  if eps == nil then
    error("the epsilon of " .. path(m) .. " is nil: the configuration lacks the key that it is read from", 0)
  end
  return eps
end

-- Root-mean-square norm with m.weight; `options.offset` is added to each weight (1 where checkpoints store weights around 0).
function rms_norm(x, m, eps, options)
  check_names(options, { "offset" }, "rms_norm")
  return graph.rms_norm(x, weight(m.weight, x:size()), nil, { eps = checked_eps(eps, m), offset = options and options.offset })
end

-- Layer norm with m.weight and m.bias, each if there is one; `options.bias` tells where no checkpoint does. `options.offset`
-- as above.
function layer_norm(x, m, eps, options)
  check_names(options, { "offset", "bias" }, "layer_norm")
  local bias = options == nil or options.bias ~= false
  local w = has(m.weight, true) and weight(m.weight, x:size()) or nil
  if w and options and options.offset then
    w = w + options.offset
  end
  local b = has(m.bias, bias) and weight(m.bias, x:size()) or nil
  return graph.layer_norm(x, w, b, { eps = checked_eps(eps, m) })
end

-- The same as functions of x and the norm's module, for decoder_layer() and self_attention().
function rms_norms(eps, options)
  return function(x, m)
    return rms_norm(x, m, eps, options)
  end
end

function layer_norms(eps, options)
  return function(x, m)
    return layer_norm(x, m, eps, options)
  end
end

-- Learned positions: row position + offset of m.weight [rows + offset, width]; offset may be absent.
function learned_positions(m, rows, width, offset)
  if not offset then
    return embedding(positions(), m, rows, width)
  end
  return graph.embedding(positions(), weight(m.weight, rows + offset, width):slice(offset, rows + offset))
end

-- x rounded to the seven fraction bits of bfloat16, for constants that a model keeps in it.
function bfloat16(x)
  local unit = 2.0 ^ (math.floor(math.log(x, 2)) - 7)
  return math.floor(x / unit + 0.5) * unit
end

-- The configuration's `key` for layer i (from 1), which may be a list of one for each layer.
function of_layer(c, key, i)
  local own = c.per_layer_config and c.per_layer_config[tostring(i - 1)]
  if own and own[key] ~= nil then
    return own[key]
  end
  return type(c[key]) == "table" and c[key][i] or c[key]
end

-- Activation functions by the names that configurations use.
local activations = {
  silu = "silu", swish = "silu",
  gelu = "gelu", gelu_python = "gelu",
  gelu_new = "gelu_tanh", gelu_fast = "gelu_tanh", gelu_pytorch_tanh = "gelu_tanh", gelu_python_tanh = "gelu_tanh",
  relu = "relu", relu2 = "relu2", tanh = "tanh", sigmoid = "sigmoid",
}

function activation(name)
  local kind = activations[name]
  if name == nil then
    error("the name of the activation function is nil: the configuration lacks the key that it is read from", 0)
  elseif kind == nil then
    error("unknown activation function '" .. tostring(name) .. "'", 0)
  end
  return function(x)
    return graph.unary(x, kind)
  end
end

silu, gelu, gelu_tanh, relu = activation("silu"), activation("gelu"), activation("gelu_new"), activation("relu")
tanh, sigmoid = activation("tanh"), activation("sigmoid")

-- Other functions of each element.
for _, kind in ipairs({ "exp", "softplus", "log", "floor", "sqrt" }) do
  _G[kind] = function(x)
    return graph.unary(x, kind)
  end
end

-- cap * tanh(x / cap); x itself where there is no cap.
function softcap(x, cap)
  if cap == nil then
    return x
  end
  return tanh(x / cap) * cap
end

softmax, top_k, take, concat, clamp = graph.softmax, graph.top_k, graph.take, graph.concat, graph.clamp
token_ids, positions, token_types = graph.token_ids, graph.positions, graph.token_types
