-- Multi-head latent attention (DeepSeek-V2, 2024): keys and values of all heads are made from one short vector per token.

-- YaRN as DeepSeek means it raises the scores, too.
local function score_scale(c)
  local scale = (c.qk_nope_head_dim + c.qk_rope_head_dim) ^ -0.5
  local p = c.rope_parameters
  if p.rope_type == "yarn" and p.mscale_all_dim and p.mscale_all_dim ~= 0 then
    scale = scale * (0.1 * p.mscale_all_dim * math.log(p.factor) + 1) ^ 2
  end
  return scale
end

-- Absorbed form: what would make keys of the cached vectors is multiplied into the queries, what would make values of them
-- into the result. So the cache holds that one vector and the rotary part of the keys, which all heads share. Written so,
-- the runtime knows both forms and takes the other for prompts.
-- `interleaved` tells which dimensions are turned together, where the configuration does not.
function latent_attention(m, x, c, interleaved)
  local heads, nope, turned, low = c.num_attention_heads, c.qk_nope_head_dim, c.qk_rope_head_dim, c.kv_lora_rank
  local value = c.v_head_dim
  local in_pairs = interleaved == nil and c.rope_interleave ~= false or interleaved
  local bias, rotary = { bias = c.attention_bias }, { interleaved = in_pairs, dims = turned }
  local q
  if c.q_lora_rank then
    q = rms_norm(m.q_a_proj(x, c.q_lora_rank, bias), m.q_a_layernorm, 1e-6)
    q = m.q_b_proj(q, heads, nope + turned)
  else
    q = m.q_proj(x, heads, nope + turned)
  end
  local q_nope, q_turned = q:split({ nope, turned })
  local latent, k_turned = m.kv_a_proj_with_mqa(x, low + turned, bias):split({ low, turned })
  latent = rms_norm(latent, m.kv_a_layernorm, 1e-6):reshape(1, low)
  local name = path(m.kv_b_proj)
  local to_keys, to_values = weight(m.kv_b_proj.weight, heads * (nope + value), low)
    :reshape(heads, nope + value, low):split({ nope, value }, 1)
  q = concat({ graph.block_matmul(q_nope, to_keys:transpose(0, 2, 1), name), rope(q_turned, c, rotary) })
  local k = concat({ latent, rope(k_turned:reshape(1, turned), c, rotary) })
  local y = graph.block_matmul(graph.attention(q, k, latent, { scale = score_scale(c) }), to_values, name)
  return m.o_proj(y:reshape(heads * value), x:size(), bias)
end
