-- Gemma 2 and 3: a norm before and behind each block, windows in most layers. Gemma 3 has norms of queries and keys in place of
-- the scores' cap, and rotary settings by the kind of layer. VaultGemma has no norms behind.
local is_third = { gemma3 = true, gemma3_text = true }

local before = { attention = "input_layernorm", mlp = "pre_feedforward_layernorm" }
local sandwich = {
  attention = "input_layernorm", attention_output = "post_attention_layernorm",
  mlp = "pre_feedforward_layernorm", mlp_output = "post_feedforward_layernorm",
}

-- Every other layer has a window, also where the configuration does not list them.
local function layer_window(c, i)
  if layer_type(c, i) then
    return window(c, i)
  end
  return i % 2 == 1 and c.sliding_window or nil
end

return causal_lm {
  architectures = { "Gemma2ForCausalLM", "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration", "VaultGemmaForCausalLM" },
  tied = true,
  embed = function(_, x, c)
    return x * math.sqrt(c.hidden_size)
  end,
  layer = function(l, x, c, i)
    local norm = rms_norms(c.rms_norm_eps, { offset = 1 })
    local act = activation(c.hidden_activation or "gelu_pytorch_tanh")
    return decoder_layer(l, x, c, {
      norm = norm,
      norms = c.model_type == "vaultgemma" and before or sandwich,
      attention = {
        window = layer_window(c, i), scale = c.query_pre_attn_scalar ^ -0.5, softcap = not is_third[c.model_type] and c.attn_logit_softcapping or nil,
        bias = c.attention_bias, output_bias = c.attention_bias,
        norm = is_third[c.model_type] and norm or nil, rope = { layer_type = layer_type(c, i) },
      },
      mlp = function(h) return gated_mlp(l.mlp, h, c.intermediate_size, act) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps, { offset = 1 })
  end,
  logits = function(y, c)
    return softcap(y, c.final_logit_softcapping)
  end,
}
