-- Attention and rotary position embeddings.

-- Attention of queries [tokens, heads, d] to the sequence's keys and values [tokens, kv_heads, d], as [tokens, heads * d].
-- Options: scale (1 / sqrt(d)), window, chunk, softcap, sinks, alibi_slopes, alibi_scale, alibi_bfloat16, bidirectional (tokens
-- see later ones, too), cross (keys and values are those of another text, which the output "encode" has kept), distance_rows (of
-- tables by distance: see distance_buckets()), biases, position_keys and position_queries (such tables), angle_power.
local attend_options = {
  "scale", "window", "chunk", "softcap", "sinks", "alibi_slopes", "alibi_scale", "alibi_bfloat16", "bidirectional", "cross",
  "distance_rows", "biases", "position_keys", "position_queries", "angle_power",
}

function attend(q, k, v, options)
  check_names(options, attend_options, "attend")
  local y = graph.attention(q, k, v, options)
  return y:reshape(y:size(1) * y:size(2))
end

-- Slopes of ALiBi (Press et al., 2021) for any number of heads.
function alibi_slopes(heads)
  local slopes = {}
  local power = 1
  while power * 2 <= heads do
    power = power * 2
  end
  for i = 1, math.min(power, heads) do
    slopes[i] = 2 ^ (-8 / power * i)
  end
  for i = power + 1, heads do -- the odd ones of twice as many heads
    slopes[i] = 2 ^ (-4 / power * (2 * (i - power) - 1))
  end
  return slopes
end

-- 1 / theta^(2i / dims), i from 0.
local function default_frequencies(theta, dims)
  local f = {}
  for i = 0, dims // 2 - 1 do
    f[i + 1] = theta ^ (-2 * i / dims)
  end
  return f
end

local function divided(frequencies, divisors)
  local f = {}
  for i, value in ipairs(frequencies) do
    f[i] = value / (type(divisors) == "table" and divisors[i] or divisors)
  end
  return f
end

-- Llama 3.1: low frequencies are divided by `factor`, high ones kept, those between interpolated.
local function llama3_frequencies(p, frequencies)
  local f = {}
  for i, value in ipairs(frequencies) do
    local turns = p.original_max_position_embeddings * value / (2 * math.pi)
    local smooth = (turns - p.low_freq_factor) / (p.high_freq_factor - p.low_freq_factor)
    smooth = math.max(0, math.min(1, smooth))
    f[i] = (1 - smooth) * value / p.factor + smooth * value
  end
  return f
end

-- YaRN (Peng et al., 2023): dimensions that turn often keep their frequency, those that turn seldom are divided by `factor`.
local function yarn_frequencies(p, frequencies, dims, original)
  local function dimension_of(turns)
    return dims * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(p.rope_theta))
  end
  local low, high = dimension_of(p.beta_fast or 32), dimension_of(p.beta_slow or 1)
  if p.truncate ~= false then
    low, high = math.floor(low), math.ceil(high)
  end
  low, high = math.max(low, 0), math.min(high, dims - 1)
  if low == high then
    high = high + 0.001
  end
  local f = {}
  for i, value in ipairs(frequencies) do
    local ramp = math.max(0, math.min(1, (i - 1 - low) / (high - low)))
    f[i] = value / p.factor * ramp + value * (1 - ramp)
  end
  return f
end

local function yarn_scale(p)
  local function mscale(weight)
    return p.factor <= 1 and 1 or 0.1 * weight * math.log(p.factor) + 1
  end
  if p.attention_factor then
    return p.attention_factor
  elseif p.mscale and p.mscale_all_dim then
    return mscale(p.mscale) / mscale(p.mscale_all_dim)
  end
  return mscale(1)
end

local function longrope_scale(c, p, original)
  local factor = p.original_max_position_embeddings and c.max_position_embeddings / original or p.factor or 1
  if p.long_mscale and p.long_mscale ~= p.short_mscale then
    error("rope_parameters have two scales, short_mscale and long_mscale; only equal ones are supported", 0)
  end
  if p.attention_factor or p.short_mscale then
    return p.attention_factor or p.short_mscale
  end
  return factor <= 1 and 1 or math.sqrt(1 + math.log(factor) / math.log(original))
end

-- What graph.rope wants, by rope_type.
local kinds = {}

function kinds.default(_, _, frequencies)
  return { inverse_frequencies = frequencies }
end

function kinds.linear(_, p, frequencies)
  return { inverse_frequencies = divided(frequencies, p.factor) }
end

function kinds.llama3(_, p, frequencies)
  return { inverse_frequencies = llama3_frequencies(p, frequencies) }
end

function kinds.dynamic(c, p, frequencies, dims)
  if p.alpha and p.alpha ~= 0 then -- HunYuan: a fixed change of the base
    return { inverse_frequencies = default_frequencies(p.rope_theta * p.alpha ^ (dims / (dims - 2)), dims) }
  end
  return {
    inverse_frequencies = frequencies, dynamic = true, base = p.rope_theta, factor = p.factor,
    original_length = c.max_position_embeddings,
  }
end

-- The first dimensions turn as if all did; the others, counted in, stand still (Gemma 4).
function kinds.proportional(_, p, _, dims)
  local f, turned = default_frequencies(p.rope_theta, dims), math.floor((p.partial_rotary_factor or 1) * dims / 2)
  for i = turned + 1, #f do
    f[i] = 0
  end
  return { inverse_frequencies = divided(f, p.factor or 1) }
end

function kinds.yarn(c, p, frequencies, dims)
  local original = p.original_max_position_embeddings or c.max_position_embeddings
  return { inverse_frequencies = yarn_frequencies(p, frequencies, dims, original), attention_scale = yarn_scale(p) }
end

function kinds.longrope(c, p, frequencies)
  local original = p.original_max_position_embeddings or c.max_position_embeddings
  return {
    inverse_frequencies = divided(frequencies, p.short_factor),
    long_inverse_frequencies = divided(frequencies, p.long_factor),
    original_length = original, attention_scale = longrope_scale(c, p, original),
  }
end

-- Rotary settings for heads of `head_dim`; nil for none. Options: layer_type (where the configuration has settings by type), dims
-- (rotary dimensions), interleaved, theta and rope_type (in place of the configuration's), recomputed (with longrope, a sequence
-- that outgrows the original length is computed anew, as Phi's prepare_inputs_for_generation has it).
local function rope_settings(c, head_dim, options)
  local p = c.rope_parameters
  if options.layer_type and p[options.layer_type] then
    p = p[options.layer_type]
  end
  local rope_type = options.rope_type or p.rope_type
  local part = rope_type ~= "proportional" and p.partial_rotary_factor or 1
  local dims = options.dims or math.floor(head_dim * part)
  if rope_type == "none" then
    return nil
  end
  local kind = kinds[rope_type]
  if kind == nil then
    error("unknown rope_type '" .. tostring(rope_type) .. "'", 0)
  end
  local settings = kind(c, p, default_frequencies(options.theta or p.rope_theta, dims), dims)
  settings.interleaved = options.interleaved
  settings.recomputed = options.recomputed
  return settings
end

-- x [tokens, heads, head_dim] turned by its position.
function rope(x, c, options)
  check_names(options, { "layer_type", "dims", "interleaved", "theta", "rope_type", "recomputed" }, "rope")
  local settings = rope_settings(c, x:size(), options or {})
  return settings and graph.rope(x, settings) or x
end

-- Queries that grow with the logarithm of their position: by 1 + beta * log(1 + floor(position / length)). Positions count from
-- `first` (0).
function scaled_by_position(q, beta, length, first)
  local far = floor((graph.to_real(positions()) + (first or 0)) / length)
  return q * (log(far + 1) * beta + 1):reshape(1, 1)
end

-- A function that turns all dimensions of heads by position, whatever the configuration says.
function turned(theta, interleaved)
  return function(x)
    return graph.rope(x, { inverse_frequencies = default_frequencies(theta, x:size()), interleaved = interleaved })
  end
end

-- "sliding_attention", "full_attention" or the like for layer i (from 1); nil where the configuration does not tell.
function layer_type(c, i)
  return c.layer_types and c.layer_types[i]
end

-- Sliding window of layer i; nil where it sees everything.
function window(c, i)
  local kind = layer_type(c, i)
  return (kind == nil or kind == "sliding_attention") and c.sliding_window or nil
end

-- Causal self-attention of the Llama kind: q_proj, k_proj, v_proj, rope, o_proj. Options, beside those of attend():
--   bias, output_bias  whether there are biases where no checkpoint tells
--   whole_norm         function(y, module): norm of all heads of q or k together
--   clip               projections (or what whole_norm makes of them) are brought into [-clip, clip]
--   norm, norm_after   the same of each head, before or after rope
--   norms              names of the two norms' modules ({ "q_norm", "k_norm" })
--   rope               options of rope(); false for none
--   query              function(q): what becomes of queries last
--   key_scale          factor of the keys
--   output             name of the output projection ("o_proj")
--   kv_heads           number of key-value heads, where layers differ
local self_attention_options = {
  "bias", "output_bias", "whole_norm", "clip", "norm", "norm_after", "norms", "rope", "query", "key_scale", "output", "kv_heads",
  table.unpack(attend_options),
}

function self_attention(m, x, c, options)
  check_names(options, self_attention_options, "self_attention")
  local o = options or {}
  local names, d, kv_heads = o.norms or { "q_norm", "k_norm" }, c.head_dim, o.kv_heads or c.num_key_value_heads
  local function project(linear_of, heads, norm_module)
    local y = linear_of(x, heads * d, { bias = o.bias })
    y = o.whole_norm and norm_module and o.whole_norm(y, norm_module) or y
    y = (o.clip and clamp(y, -o.clip, o.clip) or y):reshape(heads, d)
    return norm_module and o.norm and o.norm(y, norm_module) or y
  end
  local function turn(y, norm_module)
    y = o.rope == false and y or rope(y, c, o.rope)
    return o.norm_after and o.norm_after(y, norm_module) or y
  end
  local q_norm, k_norm = m[names[1]], m[names[2]]
  local q = project(m.q_proj, c.num_attention_heads, q_norm)
  local k = project(m.k_proj, kv_heads, k_norm)
  local v = project(m.v_proj, kv_heads)
  k = o.key_scale and k * o.key_scale or k
  q = turn(q, q_norm)
  local y = graph.attention(o.query and o.query(q) or q, turn(k, k_norm), v, o)
  return m[o.output or "o_proj"](y:reshape(y:size(1) * y:size(2)), x:size(), { bias = o.output_bias })
end

-- Queries, keys and values out of one projection in which they follow one another: y is [tokens, (heads + 2 * kv_heads) * d].
function split_qkv(y, heads, kv_heads, d)
  local q, k, v = y:split({ heads * d, kv_heads * d, kv_heads * d })
  return q:reshape(heads, d), k:reshape(kv_heads, d), v:reshape(kv_heads, d)
end

-- Queries, keys and values out of one projection whose rows are grouped by key-value head: each group holds the queries that
-- share it, its key and its value. y is [tokens, kv_heads, group + 2, d].
function split_grouped_qkv(y)
  local kv_heads, group, d = y:size(1), y:size(2) - 2, y:size(3)
  local q, k, v = y:split({ group, 1, 1 }, 2)
  return q:reshape(kv_heads * group, d), k:reshape(kv_heads, d), v:reshape(kv_heads, d)
end
