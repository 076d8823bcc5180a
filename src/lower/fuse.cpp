#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "lower/passes.h"
#include "lower/uses.h"

namespace cleave::lower {
namespace {

using graph::Op;

// The multiplication that is the only one to use a function's result: a product with another value of the same shape.
Instruction* find_gated(Program& program, const Uses& uses, size_t function) {
  const std::optional<size_t> user = uses.only_user(program.instructions[function].output);
  if (!user) return nullptr;
  Instruction& next = program.instructions[*user];
  const bool gated = next.action == Action::Compute && next.op == Op::Mul && !next.gate &&
                     next.broadcast.kind == Broadcast::Kind::None;
  return gated ? &next : nullptr;
}

// f(a) and a multiplication by b become one instruction, a gated MLP's: what lies between is neither written nor read.
void fuse_gates(Program& program) {
  const Uses uses(program);
  std::vector<bool> fused(program.instructions.size());
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& function = program.instructions[i];
    if (function.action != Action::Compute || function.op != Op::Unary) continue;
    Instruction* product = find_gated(program, uses, i);
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

// Products of one value come one behind the other, so that its rounding or quantisation is done once: each takes the
// place of the first.
void gather_products(Program& program) {
  std::vector<Instruction>& all = program.instructions;
  std::map<std::pair<Operand::Kind, int32_t>, size_t> first;  // products, by what they multiply
  std::vector<std::pair<size_t, size_t>> order;               // place, and index before
  for (size_t i = 0; i < all.size(); ++i) {
    const bool product = is_plain_product(all[i]);
    order.emplace_back(
        product ? first.emplace(std::pair(all[i].inputs[0].kind, all[i].inputs[0].index), i).first->second : i, i);
  }
  std::ranges::sort(order);
  std::vector<Instruction> gathered;
  gathered.reserve(all.size());
  for (const auto& [place, before] : order) gathered.push_back(std::move(all[before]));
  all = std::move(gathered);
}

}  // namespace

void fuse(Program& program, ParameterTable& parameters, const std::vector<KvLayer>& kv_layers) {
  fuse_latent_attention(program, parameters, kv_layers);
  fuse_gates(program);
  gather_products(program);
}

}  // namespace cleave::lower
