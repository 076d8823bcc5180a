-- Feed-forward blocks.

-- down(act(gate(x)) * up(x)), as in Llama. Options: bias (where no checkpoint tells).
function gated_mlp(m, x, intermediate, act, options)
  return m.down_proj(act(m.gate_proj(x, intermediate, options)) * m.up_proj(x, intermediate, options), x:size(), options)
end

-- out(act(in(x))): two linears, as in GPT-2.
function plain_mlp(first, second, x, intermediate, act, options)
  return second(act(first(x, intermediate, options)), x:size(), options)
end

-- The gated kind with gate and up in one linear, one after the other.
function fused_gated_mlp(first, second, x, intermediate, act, options)
  local gate, up = first(x, 2 * intermediate, options):split({ intermediate, intermediate })
  return second(act(gate) * up, x:size(), options)
end
