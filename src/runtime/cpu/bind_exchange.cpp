#include "runtime/cpu/bind_exchange.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/rows/norm.h"
#include "kernels/rows/rows.h"
#include "lower/lower.h"
#include "runtime/cpu/row_gather.h"

namespace cleave::runtime::cpu {

using lower::Action;
using lower::Instruction;

namespace {

const std::vector<Share>& shares_of(const Instruction& i) {
  return i.as<lower::Shares>().of_rank;
}

int64_t row_width(const Instruction& i) {
  return num_elements(i.output_shape);
}

BoundInstruction bind_all_reduce(const Instruction& i, const Workspace& w) {
  struct Summand {
    const float* x;
    int64_t n;
  };
  std::vector<Summand> summands;
  for (size_t k = 0; k < i.inputs.size(); ++k)
    summands.push_back({w.numbers(i.inputs[k]), num_elements(i.input_shapes[k])});
  float* y = w.value(i.output);
  return [&w, &i, summands = std::move(summands), y, n = row_width(i)] {
    const int64_t rows = w.rows(i);
    float* to = y;
    for (const Summand& s : summands) to = std::copy_n(s.x, rows * s.n, to);
    w.communicator.all_reduce(y, rows * n, DType::F32);
  };
}

BoundInstruction bind_split_joint_sum(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, x, y, n = row_width(i), first = i.as<lower::JointPart>().first] {
    const int64_t rows = w.rows(i);
    std::copy_n(x + rows * first, rows * n, y);
  };
}

BoundInstruction bind_zero(const Instruction& i, const Workspace& w) {
  return [&w, &i, y = w.value(i.output), n = row_width(i)] { std::fill_n(y, w.rows(i) * n, 0.0f); };
}

BoundInstruction bind_narrow(const Instruction& i, const Workspace& w) {
  const Share& share = shares_of(i)[static_cast<size_t>(w.communicator.rank())];
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, &share, x, y, from = num_elements(i.input_shapes[0]), to = row_width(i)] {
    float* target = y;
    for (int64_t row = 0; row < w.rows(i); ++row)
      for (const plan::Interval& part : share) target = std::copy_n(x + row * from + part.begin, part.size(), target);
    CHECK_EQ(target - y, w.rows(i) * to);
  };
}

BoundInstruction bind_gather(const Instruction& i, const Workspace& w) {
  return [&w, &i, x = w.numbers(i.inputs[0]), y = w.value(i.output), gather = RowGather(i, w)]() mutable {
    gather.run(x, w.rows(i), y);
  };
}

int64_t largest_rows(const Instruction& i, const Workspace& w) {
  return lower::num_rows(w.output(i), w.program.limits.max_tokens, w.program.limits.max_output_rows);
}

// Norms of a row: those of a tensor [rows, ..., last].
int64_t norms_per_row(const Instruction& i) {
  int64_t norms = 1;
  for (size_t d = 0; d + 1 < i.output_shape.size(); ++d) norms *= i.output_shape[d];
  return norms;
}

}  // namespace

BoundInstruction bind_exchange(const Instruction& i, const Workspace& w) {
  switch (i.action) {
    case Action::AllReduce:
      return bind_all_reduce(i, w);
    case Action::AllGather:
    case Action::Gather:
      return bind_gather(i, w);
    case Action::Narrow:
      return bind_narrow(i, w);
    case Action::SplitJointSum:
      return bind_split_joint_sum(i, w);
    case Action::Zero:
      return bind_zero(i, w);
    case Action::Compute:
    case Action::Keep:
      break;
  }
  fail(ErrorKind::Internal, "{} is no exchange", graph::op_info(i.op).name);
}

bool is_distributed_norm(const Instruction& i) {
  const auto* norm = std::get_if<lower::Norm>(&i.payload);
  return norm != nullptr && norm->statistic_over > 0;
}

BoundInstruction bind_distributed_norm(const Instruction& i, const Workspace& w) {
  const auto& a = std::get<graph::NormAttributes>(i.attributes);
  const float* x = w.numbers(i.inputs[0]);
  const float* weight = i.inputs.size() > 1 ? w.numbers(i.inputs[1]) : nullptr;
  const float* bias = i.inputs.size() > 2 ? w.numbers(i.inputs[2]) : nullptr;
  float* y = w.value(i.output);
  const bool centred = i.op == graph::Op::LayerNorm;
  return [&w, &i, &a, x, weight, bias, y, centred, n = i.output_shape.back(), repeat = norms_per_row(i)] {
    const int64_t count = w.rows(i) * repeat;
    auto* mean = reinterpret_cast<float*>(w.scratch.data());
    float* variance = mean + count;
    const float over = 1.0f / static_cast<float>(i.as<lower::Norm>().statistic_over);
    const auto average = [&](float* sums) {
      w.communicator.all_reduce(sums, count, DType::F32);
      for (int64_t r = 0; r < count; ++r) sums[r] *= over;
    };
    if (centred) {
      kernels::sum_rows(x, count, n, mean, w.pool);
      average(mean);
    }
    kernels::sum_squares(x, centred ? mean : nullptr, count, n, variance, w.pool);
    average(variance);
    kernels::normalize(x, centred ? mean : nullptr, variance, weight, static_cast<float>(a.weight_offset), bias,
                       static_cast<float>(a.eps), count, n, y, w.pool);
  };
}

size_t exchange_scratch_bytes(const Instruction& i, const Workspace& w) {
  const int64_t rows = largest_rows(i, w);
  if (is_distributed_norm(i)) return static_cast<size_t>(2 * rows * norms_per_row(i)) * sizeof(float);
  if (i.action != Action::AllGather && i.action != Action::Gather) return 0;
  int64_t width = 0;
  for (const Share& share : shares_of(i)) width += width_of(share);
  return static_cast<size_t>(rows * width) * sizeof(float);
}

}  // namespace cleave::runtime::cpu
