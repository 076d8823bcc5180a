-- Granite with windows and sinks, dense and with experts. Each layer has a rotary base of its own, 0 where it does not turn.
return granite_lm {
  architectures = { "GraniteSWAForCausalLM", "GraniteMoeSWAForCausalLM" },
  attention = function(l, c, i)
    local base = c.layer_rope_theta and c.layer_rope_theta[i]
    return granite_attention(c, {
      rope = base ~= 0 and { theta = base }, window = window(c, i),
      sinks = weight(l.self_attn.sinks, c.num_attention_heads),
    })
  end,
}
