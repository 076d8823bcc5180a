-- VaultGemma: Gemma 2 without norms behind the blocks.
return gemma_lm {
  architectures = { "VaultGemmaForCausalLM" },
  norms = { attention = "input_layernorm", mlp = "pre_feedforward_layernorm" },
  attention = function(c)
    return { softcap = c.attn_logit_softcapping }
  end,
}
