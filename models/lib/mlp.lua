-- Feed-forward blocks.

-- down(act(gate(x)) * up(x)), as in Llama.
function gated_mlp(m, x, intermediate, act)
  return m.down_proj(act(m.gate_proj(x, intermediate)) * m.up_proj(x, intermediate), x:size())
end

-- out(act(in(x))): two linears, as in GPT-2.
function plain_mlp(first, second, x, intermediate, act)
  return second(act(first(x, intermediate)), x:size())
end
