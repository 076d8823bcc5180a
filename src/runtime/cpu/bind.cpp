#include "runtime/cpu/bind.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "kernels/matrix/block_diagonal.h"
#include "kernels/rows/elementwise.h"
#include "kernels/rows/embedding.h"
#include "kernels/rows/experts.h"
#include "kernels/rows/norm.h"
#include "kernels/rows/rope.h"
#include "kernels/rows/rows.h"
#include "kernels/rows/softmax.h"
#include "lower/lower.h"
#include "runtime/cpu/bind_attention.h"
#include "runtime/cpu/bind_copy.h"
#include "runtime/cpu/bind_exchange.h"
#include "runtime/cpu/bind_recurrent.h"
#include "runtime/cpu/bind_relative_attention.h"
#include "runtime/cpu/bind_single.h"
#include "runtime/cpu/unary_kernel.h"

namespace cleave::runtime::cpu {

using graph::Op;
using lower::Elementwise;
using lower::Instruction;
using lower::Products;

namespace {

using Bind = BoundInstruction (*)(const Instruction&, const Workspace&);

// Numbers of one row of the output.
int64_t width(const Instruction& i) {
  return num_elements(i.output_shape);
}

BoundInstruction bind_embedding(const Instruction& i, const Workspace& w) {
  const int32_t* ids = w.indices(i.inputs[0]);
  const TensorView& table = w.parameters[static_cast<size_t>(i.inputs[1].index)].table;
  float* y = w.value(i.output);
  return [&w, &i, ids, &table, y, part = i.as<lower::LookUp>()] {
    kernels::embed(table, ids, w.rows(i), y, w.pool, part.first_row, part.table_rows);
  };
}

BoundInstruction bind_gather_rows(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  const int32_t* rows = w.indices(i.inputs[1]);
  float* y = w.value(i.output);
  return [&w, &i, x, rows, y, n = width(i)] { kernels::gather_rows(x, rows, w.rows(i), n, y, w.pool); };
}

// Calls f(first, count, form) for the rows of the instruction, as many at a time as are computed in one way.
template <class F>
void for_forms(const Instruction& i, const Workspace& w, const F& f) {
  const int64_t rows = w.rows(i);
  if (rows == 0) return;
  if (w.output(i).rows != lower::Rows::Tokens) return f(0, rows, w.state.output_form());
  for (const StepState::Run& run : w.state.runs()) f(run.first, run.end - run.first, w.state.form_of(run.kind));
}

// The same for rows [first, end) of an expert, which `order` says the tokens of.
template <class F>
void for_expert_forms(const Workspace& w, const lower::Routing& routing, int64_t first, int64_t end, const F& f) {
  const int32_t* order = w.index_value(routing.order);
  for (const StepState::Run& run : w.state.runs()) {
    const int32_t* behind = std::lower_bound(order + first, order + end, run.end * routing.slots);
    const int64_t count = behind - (order + first);
    if (count > 0) f(first, count, w.state.expert_form_of(run.kind, routing.slots, routing.all_experts));
    first += count;
  }
}

BoundInstruction bind_expert_matmul(const Instruction& i, const Workspace& w) {
  const lower::Routing& routing = w.program.routings[static_cast<size_t>(i.routing)];
  std::vector<const kernels::Matrix*> matrices = w.matrices(i.as<Products>().matrices);
  const float* x = w.numbers(i.inputs[0]);
  const int32_t* offsets = w.index_value(routing.offsets);
  float* y = w.value(i.output);
  return [&w, &routing, matrices = std::move(matrices), x, offsets, y] {
    for (size_t e = 0; e < matrices.size(); ++e) {
      const kernels::Matrix& m = *matrices[e];
      for_expert_forms(w, routing, offsets[e], offsets[e + 1], [&](int64_t first, int64_t count, kernels::Form form) {
        m.multiply(x + first * m.k(), count, y + first * m.n(), w.scratch, w.pool, kernels::Prepared::No, form);
      });
    }
  };
}

// All rows at once: where the input has several dimensions per row, the last is multiplied.
BoundInstruction bind_matmul(const Instruction& i, const Workspace& w) {
  const auto& products = i.as<Products>();
  if (!products.matrices.empty()) return bind_expert_matmul(i, w);
  const kernels::Matrix& m = w.matrix(i.inputs[1]);
  const kernels::Matrix* previous = products.shares_input_with < 0 ? nullptr : &w.matrix(products.shares_input_with);
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, &m, previous, x, y, repeat = width(i) / m.n()] {
    for_forms(i, w, [&](int64_t first, int64_t count, kernels::Form form) {
      const int64_t rows = count * repeat;
      const uint64_t preparation = m.preparation(rows, form);
      // Rows of one kind overwrite what was prepared for those of another.
      const bool prepared = previous != nullptr && preparation != 0 && count == w.rows(i) &&
                            previous->preparation(rows, form) == preparation;
      m.multiply(x + first * repeat * m.k(), rows, y + first * repeat * m.n(), w.scratch, w.pool,
                 prepared ? kernels::Prepared::Yes : kernels::Prepared::No, form);
    });
  };
}

// The kernels of one elementwise operation, by how the second operand is repeated.
struct BinaryKernels {
  void (*flat)(const float*, const float*, int64_t, float*, ThreadPool&);
  void (*row)(const float*, const float*, int64_t, int64_t, float*, ThreadPool&);
  void (*column)(const float*, const float*, int64_t, int64_t, float*, ThreadPool&);
};

constexpr BinaryKernels kAdd = {
    [](const float* a, const float* b, int64_t n, float* y, ThreadPool& p) { kernels::add(a, b, n, y, p); },
    [](const float* a, const float* b, int64_t r, int64_t n, float* y, ThreadPool& p) {
      kernels::add_row(a, b, r, n, y, p);
    },
    kernels::add_column};
constexpr BinaryKernels kMul = {
    [](const float* a, const float* b, int64_t n, float* y, ThreadPool& p) { kernels::mul(a, b, n, y, p); },
    [](const float* a, const float* b, int64_t r, int64_t n, float* y, ThreadPool& p) {
      kernels::mul_row(a, b, r, n, y, p);
    },
    [](const float* a, const float* b, int64_t r, int64_t n, float* y, ThreadPool& p) {
      kernels::mul_column(a, b, r, n, y, p);
    }};
constexpr BinaryKernels kDiv = {kernels::div, kernels::div_row, kernels::div_column};

BoundInstruction bind_expert_rows(const Instruction& i, const Workspace& w, const BinaryKernels& k) {
  const lower::Routing& routing = w.program.routings[static_cast<size_t>(i.routing)];
  const float* a = w.numbers(i.inputs[0]);
  const float* b = w.numbers(i.inputs[1]);
  float* y = w.value(i.output);
  const int32_t* offsets = w.index_value(routing.offsets);
  return [&w, a, b, y, n = i.as<Elementwise>().n, offsets, experts = routing.experts, f = k.row] {
    for (int64_t e = 0; e < experts; ++e) {
      const int64_t first = offsets[e];
      f(a + first * n, b + e * n, offsets[e + 1] - first, n, y + first * n, w.pool);
    }
  };
}

BoundInstruction bind_binary(const Instruction& i, const Workspace& w) {
  const BinaryKernels& k = i.op == Op::Add ? kAdd : i.op == Op::Mul ? kMul : kDiv;
  const auto& how = i.as<Elementwise>();
  using Repeat = Elementwise::Repeat;
  if (how.repeat == Repeat::ExpertRow) return bind_expert_rows(i, w, k);
  const float* a = w.numbers(i.inputs[0]);
  const float* b = w.numbers(i.inputs[1]);
  float* y = w.value(i.output);
  const int64_t n = how.n, per_row = width(i);
  if (how.gate)
    return [&w, &i, a, b, y, per_row, f = unary_kernel(*how.gate)] {
      kernels::gate(f, a, b, w.rows(i) * per_row, y, w.pool);
    };
  if (how.repeat == Repeat::None)
    return [&w, &i, a, b, y, per_row, f = k.flat] { f(a, b, w.rows(i) * per_row, y, w.pool); };
  return [&w, &i, a, b, y, n, repeat = per_row / n, f = how.repeat == Repeat::Row ? k.row : k.column] {
    f(a, b, w.rows(i) * repeat, n, y, w.pool);
  };
}

BoundInstruction bind_scale(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  const auto factor = static_cast<float>(std::get<graph::ScaleAttributes>(i.attributes).factor);
  return [&w, &i, x, y, factor, n = width(i)] { kernels::scale(x, factor, w.rows(i) * n, y, w.pool); };
}

BoundInstruction bind_unary(const Instruction& i, const Workspace& w) {
  const kernels::UnaryKind kind = unary_kernel(std::get<graph::UnaryAttributes>(i.attributes).kind);
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, x, y, kind, n = width(i)] { kernels::unary(kind, x, w.rows(i) * n, y, w.pool); };
}

BoundInstruction bind_sum(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, x, y, n = i.input_shapes[0].back(), repeat = width(i)] {
    kernels::sum_rows(x, w.rows(i) * repeat, n, y, w.pool);
  };
}

BoundInstruction bind_norm(const Instruction& i, const Workspace& w) {
  if (i.as<lower::Norm>().statistic_over > 0) return bind_distributed_norm(i, w);
  const auto& a = std::get<graph::NormAttributes>(i.attributes);
  const float* x = w.numbers(i.inputs[0]);
  const float* weight = i.inputs.size() > 1 ? w.numbers(i.inputs[1]) : nullptr;
  const float* bias = i.inputs.size() > 2 ? w.numbers(i.inputs[2]) : nullptr;
  float* y = w.value(i.output);
  const int64_t n = i.output_shape.back(), repeat = width(i) / n;
  const auto eps = static_cast<float>(a.eps), offset = static_cast<float>(a.weight_offset);
  if (i.op == Op::RmsNorm)
    return [&w, &i, x, weight, y, n, repeat, eps, offset] {
      kernels::rms_norm(x, weight, offset, eps, w.rows(i) * repeat, n, y, w.pool);
    };
  return [&w, &i, x, weight, bias, y, n, repeat, eps] {
    kernels::layer_norm(x, weight, bias, eps, w.rows(i) * repeat, n, y, w.pool);
  };
}

BoundInstruction bind_rope(const Instruction& i, const Workspace& w) {
  const auto& a = std::get<graph::RopeAttributes>(i.attributes);
  const kernels::RopeParams params{i.output_shape[0], i.output_shape[1],
                                   static_cast<int64_t>(2 * a.inverse_frequencies.size()), a.interleaved};
  const float* x = w.numbers(i.inputs[0]);
  const auto table = static_cast<size_t>(i.as<lower::Rotate>().table);
  const float* cosines = w.state.cosines(table);
  const float* sines = w.state.sines(table);
  float* y = w.value(i.output);
  return
      [&w, x, y, params, cosines, sines] { kernels::rope(x, w.state.num_tokens(), params, cosines, sines, y, w.pool); };
}

BoundInstruction bind_softmax(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  const int64_t n = i.output_shape.back(), repeat = width(i) / n;
  return [&w, &i, x, y, n, repeat] { kernels::softmax(x, w.rows(i) * repeat, n, y, w.pool); };
}

BoundInstruction bind_top_k(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  int32_t* y = w.index_value(i.output);
  const auto& a = std::get<graph::TopKAttributes>(i.attributes);
  const kernels::GroupChoice choice = {a.groups, a.kept_groups, a.best_of_group};
  return [&w, &i, x, y, n = i.input_shapes[0][0], k = i.output_shape[0], choice] {
    const int64_t rows = w.rows(i);
    auto* values = reinterpret_cast<float*>(w.scratch.data());
    const float* from = x;
    if (choice.kept < choice.groups) {
      float* kept = values + rows * k;
      kernels::keep_best_groups(x, rows, n, choice, kept + rows * n, kept, w.pool);
      from = kept;
    }
    kernels::top_k(from, rows, n, k, y, values, w.pool);
  };
}

BoundInstruction bind_take(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  const int32_t* indices = w.indices(i.inputs[1]);
  float* y = w.value(i.output);
  return [&w, &i, x, indices, y, n = i.input_shapes[0][0], k = i.output_shape[0]] {
    kernels::take(x, indices, w.rows(i), n, k, y, w.pool);
  };
}

BoundInstruction bind_dispatch(const Instruction& i, const Workspace& w) {
  const lower::Routing& r = w.program.routings[static_cast<size_t>(i.routing)];
  const float* x = w.numbers(i.inputs[0]);
  const int32_t* chosen = w.indices(r.chosen);
  float* y = w.value(i.output);
  return [&w, &r, x, chosen, y, n = width(i)] {
    int32_t* order = w.index_value(r.order);
    int32_t* offsets = w.index_value(r.offsets);
    kernels::route(chosen, w.state.num_tokens(), r.slots, r.first_expert, r.experts, offsets, order,
                   w.index_value(r.position));
    kernels::dispatch(x, order, offsets[r.experts], r.slots, n, y, w.pool);
  };
}

BoundInstruction bind_combine(const Instruction& i, const Workspace& w) {
  const lower::Routing& r = w.program.routings[static_cast<size_t>(i.routing)];
  const float* rows = w.numbers(i.inputs[0]);
  const float* weights = w.numbers(i.inputs[2]);
  float* y = w.value(i.output);
  return [&w, &r, rows, weights, y, n = width(i)] {
    kernels::combine(rows, w.index_value(r.position), weights, w.state.num_tokens(), r.slots, n, y, w.pool);
  };
}

// The choice itself, and where groups are left out what is left and the groups' scores.
size_t top_k_scratch_bytes(const Instruction& i, int64_t rows) {
  const auto& a = std::get<graph::TopKAttributes>(i.attributes);
  const int64_t grouped = a.kept_groups < a.groups ? i.input_shapes[0][0] + a.groups : 0;
  return static_cast<size_t>(rows * (width(i) + grouped)) * sizeof(float);
}

size_t matmul_scratch_bytes(const Instruction& i, const Workspace& w, int64_t rows) {
  const std::vector<int32_t>& matrices = i.as<Products>().matrices;
  size_t bytes = 0;
  for (const int32_t matrix : matrices) bytes = std::max(bytes, w.matrix(matrix).scratch_bytes(rows, w.pool.size()));
  if (!matrices.empty()) return bytes;
  const kernels::Matrix& m = w.matrix(i.inputs[1]);
  return m.scratch_bytes(rows * (width(i) / m.n()), w.pool.size());
}

BoundInstruction bind_block_matmul(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, x, y, blocks = w.matrices(i.as<Products>().matrices)] {
    const auto width_of = [&](int64_t one) { return one * std::ssize(blocks); };
    for_forms(i, w, [&](int64_t first, int64_t count, kernels::Form form) {
      kernels::block_diagonal(blocks, x + first * width_of(blocks[0]->k()), count, y + first * width_of(blocks[0]->n()),
                              w.scratch, w.pool, form);
    });
  };
}

/// How an operation becomes a call.
struct BindRule {
  Op op;
  Bind bind;  // null where nothing is left to do when there are instructions
};

// In the order of Op.
constexpr std::array<BindRule, graph::kNumOps> kBind = {{
    {Op::Input, nullptr},
    {Op::Weight, nullptr},
    {Op::Slice, bind_slice},
    {Op::Reshape, nullptr},
    {Op::Transpose, bind_transpose},
    {Op::Concat, bind_concat},
    {Op::Embedding, bind_embedding},
    {Op::GatherRows, bind_gather_rows},
    {Op::GatherColumns, bind_gather_columns},
    {Op::Matmul, bind_matmul},
    {Op::Add, bind_binary},
    {Op::Mul, bind_binary},
    {Op::Div, bind_binary},
    {Op::Scale, bind_scale},
    {Op::Unary, bind_unary},
    {Op::Sum, bind_sum},
    {Op::RmsNorm, bind_norm},
    {Op::LayerNorm, bind_norm},
    {Op::Rope, bind_rope},
    {Op::Attention, bind_attention},
    {Op::Softmax, bind_softmax},
    {Op::TopK, bind_top_k},
    {Op::Take, bind_take},
    {Op::Dispatch, bind_dispatch},
    {Op::Combine, bind_combine},
    {Op::Shift, bind_shift},
    {Op::Clamp, bind_clamp},
    {Op::ToReal, bind_to_real},
    {Op::Sinusoid, bind_sinusoid},
    {Op::BlockMatmul, bind_block_matmul},
    {Op::CausalConv, bind_causal_conv},
    {Op::CenteredConv, bind_centered_conv},
    {Op::LinearAttention, bind_linear_attention},
    {Op::LinearRecurrence, bind_linear_recurrence},
}};

const BindRule& bind_rule(Op op) {
  const BindRule& rule = kBind.at(static_cast<size_t>(op));
  CHECK(rule.op == op);
  return rule;
}

}  // namespace

bool has_kernel(Op op) {
  return bind_rule(op).bind != nullptr;
}

BoundInstruction bind(const Instruction& instruction, const Workspace& workspace) {
  if (instruction.action == lower::Action::Keep) return bind_keep(instruction, workspace);
  if (instruction.action != lower::Action::Compute) return bind_exchange(instruction, workspace);
  const BindRule& rule = bind_rule(instruction.op);
  CHECK(rule.bind != nullptr);
  return rule.bind(instruction, workspace);
}

size_t scratch_bytes(const Instruction& i, const Workspace& w) {
  if (i.action != lower::Action::Compute || is_distributed_norm(i)) return exchange_scratch_bytes(i, w);
  const lower::Limits& limits = w.program.limits;
  const int64_t rows = lower::num_rows(w.output(i), limits.max_tokens, limits.max_output_rows);
  const int threads = w.pool.size();
  size_t bytes = 0;
  if (i.op == Op::Matmul) bytes = matmul_scratch_bytes(i, w, rows);
  if (i.op == Op::Attention) bytes = attention_scratch_bytes(i, w);
  if (i.op == Op::TopK) bytes = top_k_scratch_bytes(i, rows);
  if (i.op == Op::BlockMatmul)
    bytes = kernels::block_diagonal_scratch_bytes(w.matrices(i.as<Products>().matrices), rows, threads);
  return bytes;
}

}  // namespace cleave::runtime::cpu
