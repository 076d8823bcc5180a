#include <algorithm>
#include <optional>

#include "lower/passes.h"
#include "lower/uses.h"

namespace cleave::lower {
namespace {

using graph::Op;

// The only instruction that uses a value; null where there are others or none.
Instruction* only_user(Program& program, const Uses& uses, int32_t value) {
  const std::optional<size_t> user = uses.only_user(value);
  return user ? &program.instructions[*user] : nullptr;
}

// What computes an operand that nothing else uses.
Instruction* only_source(Program& program, const Uses& uses, const Operand& operand, Op op) {
  if (operand.kind != Operand::Kind::Value || !uses.only_user(operand.index)) return nullptr;
  const std::optional<size_t> source = uses.source(operand.index);
  if (!source) return nullptr;
  Instruction& i = program.instructions[*source];
  return i.action == Action::Compute && i.op == op ? &i : nullptr;
}

// Attention whose heads may make keys and values of their own instead: nothing else tells them apart.
bool may_expand(const std::vector<KvLayer>& kv_layers, const Instruction& i) {
  if (i.action != Action::Compute || i.op != Op::Attention || i.inputs.size() != 3) return false;
  const auto& a = std::get<graph::AttentionAttributes>(i.attributes);
  if (!a.causal) return false;  // its cache alone is of one form
  const KvLayer& layer = kv_layers[static_cast<size_t>(a.layer)];
  return a.alibi_slopes.empty() && layer.values_in_keys && layer.kv_heads == 1;
}

int32_t add_transposed(ParameterTable& parameters, int32_t parameter) {
  Parameter copy = parameters[parameter];
  copy.view = transposed(copy.view);
  copy.is_copy = true;
  return parameters.add(std::move(copy));
}

}  // namespace

// q = concat(block_matmul(unrotated, to_keys), rotated), attention, block_matmul(., to_values) become one instruction,
// which may as well make keys and values of the cached vectors, where these are shorter.
void fuse_latent_attention(Program& program, ParameterTable& parameters, const std::vector<KvLayer>& kv_layers) {
  const Uses uses(program);
  std::vector<const Instruction*> fused;
  for (Instruction& attention : program.instructions) {
    if (!may_expand(kv_layers, attention)) continue;
    Instruction* q = only_source(program, uses, attention.inputs[0], Op::Concat);
    if (q == nullptr || q->inputs.size() != 2) continue;
    Instruction* absorb = only_source(program, uses, q->inputs[0], Op::BlockMatmul);
    Instruction* values = only_user(program, uses, attention.output);
    if (absorb == nullptr || values == nullptr || values->action != Action::Compute || values->op != Op::BlockMatmul)
      continue;
    const int64_t unrotated = absorb->input_shapes[0].back(), compressed = absorb->output_shape.back();
    if (compressed != attention.output_shape.back() || unrotated + values->output_shape.back() >= 2 * compressed)
      continue;
    LatentMatrices matrices{absorb->as<Products>().matrices, {}, values->as<Products>().matrices};
    for (const int32_t matrix : matrices.absorb) matrices.keys.push_back(add_transposed(parameters, matrix));
    std::get<Attend>(attention.payload).latent = std::move(matrices);
    attention.inputs = {absorb->inputs[0], q->inputs[1], attention.inputs[1]};
    attention.input_shapes = {absorb->input_shapes[0], q->input_shapes[1], attention.input_shapes[1]};
    attention.output = values->output;
    attention.output_shape = values->output_shape;
    attention.node = values->node;
    fused.insert(fused.end(), {absorb, q, values});
  }
  const Instruction* first = program.instructions.data();
  std::vector<bool> gone(program.instructions.size());
  for (const Instruction* i : fused) gone[static_cast<size_t>(i - first)] = true;
  size_t index = 0;
  std::erase_if(program.instructions, [&](const Instruction&) { return gone[index++]; });
}

}  // namespace cleave::lower
