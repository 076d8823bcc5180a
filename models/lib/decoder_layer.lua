-- The layer that most decoders share: attention and a feed-forward block, each added to what came in.

local llama_norms = { attention = "input_layernorm", mlp = "post_attention_layernorm" }

-- Without options a Llama's. Options:
--   norm       function(x, module) (root-mean-square norm with c.rms_norm_eps)
--   norms      names of the norms: attention and mlp before the block, attention_output and mlp_output behind it; any may be
--              absent (input_layernorm before attention, post_attention_layernorm before the MLP)
--   attention  options of self_attention() with l.self_attn, or a function(h)
--   mlp        function(h) (gated_mlp with l.mlp)
--   scale      factor of what is added
--   parallel   both blocks read the layer's input, the MLP what attention reads where it has no norm of its own
function decoder_layer(l, x, c, options)
  check_names(options, { "norm", "norms", "attention", "mlp", "scale", "parallel" }, "decoder_layer")
  check_names(options and options.norms, { "attention", "mlp", "attention_output", "mlp_output" }, "norms")
  local o = options or {}
  local norm, names = o.norm or rms_norms(c.rms_norm_eps), o.norms or llama_norms
  local function attention(h)
    return type(o.attention) == "function" and o.attention(h) or self_attention(l.self_attn, h, c, o.attention)
  end
  local function mlp(h)
    return o.mlp and o.mlp(h)
      or gated_mlp(l.mlp, h, c.intermediate_size, activation(c.hidden_act or "silu"), { bias = c.mlp_bias })
  end
  local function finish(y, output_norm)
    y = output_norm and norm(y, l[output_norm]) or y
    return o.scale and y * o.scale or y
  end
  local h = names.attention and norm(x, l[names.attention]) or x
  local attended = x + finish(attention(h), names.attention_output)
  if o.parallel then
    h = names.mlp and norm(x, l[names.mlp]) or h
  else
    h = names.mlp and norm(attended, l[names.mlp]) or attended
  end
  return attended + finish(mlp(h), names.mlp_output)
end
