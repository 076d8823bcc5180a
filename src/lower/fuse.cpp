#include <algorithm>
#include <optional>

#include "lower/program.h"
#include "lower/uses.h"

namespace cleave::lower {
namespace {

using graph::Op;

int64_t count_uses(const Program& program, int32_t value) {
  int64_t uses = is_value(program.output, value) ? 1 : 0;
  for (const Instruction& i : program.instructions)
    uses += std::ranges::count_if(i.inputs, [&](const Operand& input) { return is_value(input, value); });
  return uses;
}

// The multiplication that is the only one to use a function's result, if it follows: a product with another value of
// the same shape.
Instruction* find_gated(Program& program, size_t function) {
  const int32_t value = program.instructions[function].output;
  for (size_t i = function + 1; i < program.instructions.size(); ++i) {
    Instruction& next = program.instructions[i];
    if (std::ranges::none_of(next.inputs, [&](const Operand& input) { return is_value(input, value); })) continue;
    const bool gated = next.action == Action::Compute && next.op == Op::Mul && !next.gate &&
                       next.broadcast.kind == Broadcast::Kind::None && count_uses(program, value) == 1;
    return gated ? &next : nullptr;
  }
  return nullptr;
}

// f(a) and a multiplication by b become one instruction, a gated MLP's: what lies between is neither written nor read.
void fuse_gates(Program& program) {
  std::vector<bool> fused(program.instructions.size());
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& function = program.instructions[i];
    if (function.action != Action::Compute || function.op != Op::Unary) continue;
    Instruction* product = find_gated(program, i);
    if (product == nullptr) continue;
    if (!is_value(product->inputs[0], function.output)) {
      std::swap(product->inputs[0], product->inputs[1]);
      std::swap(product->input_shapes[0], product->input_shapes[1]);
    }
    product->gate = std::get<graph::UnaryAttributes>(function.attributes).kind;
    product->inputs[0] = function.inputs[0];
    fused[i] = true;
  }
  size_t index = 0;
  std::erase_if(program.instructions, [&](const Instruction&) { return fused[index++]; });
}

bool is_plain_product(const Instruction& i) {
  return i.action == Action::Compute && i.op == Op::Matmul && i.expert_matrices.empty() && i.routing < 0;
}

bool same_operand(const Operand& a, const Operand& b) {
  return a.kind == b.kind && a.index == b.index;
}

// Products of one value come one behind the other, so that its rounding or quantisation is done once.
void gather_products(Program& program) {
  auto& all = program.instructions;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!is_plain_product(all[i])) continue;
    size_t end = i + 1;
    for (size_t j = i + 1; j < all.size(); ++j)
      if (is_plain_product(all[j]) && same_operand(all[j].inputs[0], all[i].inputs[0])) {
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(end);
        const auto from = all.begin() + static_cast<std::ptrdiff_t>(j);
        std::rotate(first, from, from + 1);
        ++end;
      }
    i = end - 1;
  }
}

}  // namespace

void fuse(Program& program) {
  fuse_latent_attention(program);
  fuse_gates(program);
  gather_products(program);
}

}  // namespace cleave::lower
