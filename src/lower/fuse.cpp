#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "lower/passes.h"
#include "lower/uses.h"

namespace cleave::lower {
namespace {

using graph::Op;

// Whether it is a product of two values of the same shape, neither of them a function already.
bool takes_gate(const Instruction& i) {
  if (i.action != Action::Compute || i.op != Op::Mul) return false;
  return i.as<Elementwise>().repeat == Elementwise::Repeat::None && !i.as<Elementwise>().gate;
}

// The multiplication that is the only one to use a function's result: a product with another value of the same shape.
Instruction* find_gated(Program& program, const Uses& uses, size_t function) {
  const std::optional<size_t> user = uses.only_user(program.instructions[function].output);
  if (!user) return nullptr;
  Instruction& next = program.instructions[*user];
  return takes_gate(next) ? &next : nullptr;
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
    std::get<Elementwise>(product->payload).gate = std::get<graph::UnaryAttributes>(function.attributes).kind;
    product->inputs[0] = function.inputs[0];
    fused[i] = true;
  }
  size_t index = 0;
  std::erase_if(program.instructions, [&](const Instruction&) { return fused[index++]; });
}

// A product with one matrix.
bool is_plain_product(const Instruction& i) {
  return i.action == Action::Compute && i.op == Op::Matmul && i.as<Products>().matrices.empty();
}

// Products of one value come one behind the other, so that its rounding or quantisation is done once: each takes the
// place of the first.
void gather_products(Program& program) {
  std::vector<Instruction>& all = program.instructions;
  std::map<std::pair<Operand::Kind, int32_t>, size_t> first;  // products, by what they multiply
  std::vector<std::pair<size_t, size_t>> order;               // place, and index before
  for (size_t i = 0; i < all.size(); ++i) {
    const bool product = is_plain_product(all[i]) && all[i].routing < 0;
    order.emplace_back(
        product ? first.emplace(std::pair(all[i].inputs[0].kind, all[i].inputs[0].index), i).first->second : i, i);
  }
  std::ranges::sort(order);
  std::vector<Instruction> gathered;
  gathered.reserve(all.size());
  for (const auto& [place, before] : order) gathered.push_back(std::move(all[before]));
  all = std::move(gathered);
}

bool same_operand(const Operand& a, const Operand& b) {
  return a.kind == b.kind && a.index == b.index;
}

// Says of products of which matrix they share their rows with.
void mark_shared_inputs(Program& program) {
  for (size_t i = 1; i < program.instructions.size(); ++i) {
    const Instruction& before = program.instructions[i - 1];
    Instruction& product = program.instructions[i];
    if (is_plain_product(before) && is_plain_product(product) && same_operand(before.inputs[0], product.inputs[0]))
      std::get<Products>(product.payload).shares_input_with = before.inputs[1].index;
  }
}

}  // namespace

void fuse(Program& program, ParameterTable& parameters, const std::vector<KvLayer>& kv_layers) {
  fuse_latent_attention(program, parameters, kv_layers);
  fuse_gates(program);
  gather_products(program);
  mark_shared_inputs(program);
}

}  // namespace cleave::lower
