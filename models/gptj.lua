-- GPT-J and CodeGen: attention and MLP side by side, both behind one norm, only the first rotary_dim dimensions turned.
local function gptj_qkv(m, x, heads, d)
  return m.q_proj(x, heads, d), m.k_proj(x, heads, d), m.v_proj(x, heads, d)
end

-- CodeGen's projection comes in four parts, each with its share of queries, values and keys, in this order.
local function codegen_qkv(m, x, heads, d)
  local q, v, k = m.qkv_proj(x, 4, 3, heads // 4 * d):split({ 1, 1, 1 }, 2)
  return q:reshape(heads, d), k:reshape(heads, d), v:reshape(heads, d)
end

local function attention(m, x, c)
  local project = c.model_type == "codegen" and codegen_qkv or gptj_qkv
  local q, k, v = project(m, x, c.num_attention_heads, c.head_dim)
  local rotary = { dims = c.rotary_dim or c.head_dim, interleaved = true, rope_type = "default" }
  return m.out_proj(attend(rope(q, c, rotary), rope(k, c, rotary), v), x:size())
end

return causal_lm {
  architectures = { "GPTJForCausalLM", "CodeGenForCausalLM" },
  base = "transformer", embedding = "wte", layers = "h", tied = false,
  head_bias = function() return true end,
  layer = function(l, x, c)
    local width, act = c.n_inner or 4 * x:size(), activation(c.activation_function)
    return decoder_layer(l, x, c, {
      parallel = true, norm = layer_norms(c.layer_norm_epsilon), norms = { attention = "ln_1" },
      attention = function(h) return attention(l.attn, h, c) end,
      mlp = function(h) return plain_mlp(l.mlp.fc_in, l.mlp.fc_out, h, width, act, { bias = true }) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.ln_f, c.layer_norm_epsilon)
  end,
}
