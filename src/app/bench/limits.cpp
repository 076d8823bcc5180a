#include "app/bench/limits.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/measure.h"

namespace cleave::app {
namespace {

using kernels::Arithmetic;

Arithmetic arithmetic_of(DType stored, bool exact) {
  if (exact || stored == DType::F32 || stored == DType::F64) return Arithmetic::F32;
  return is_block(stored) ? Arithmetic::Int8 : Arithmetic::Bf16;
}

}  // namespace

std::map<int, Limits> measure_limits(const std::vector<int>& threads) {
  std::map<int, Limits> limits;
  for (const int count : threads) {
    if (limits.contains(count)) continue;
    ThreadPool core(1), machine(count);
    const kernels::MeasurePools pools{core, machine};
    Limits& all = limits[count];
    Limits one;
    const auto take = [&](const kernels::MeasuredRate& rate, double& of_one, double& of_all) {
      of_one = rate.core;
      of_all = rate.machine;
    };
    take(kernels::measure_read(pools), one.read, all.read);
    for (const Arithmetic arithmetic : kernels::kArithmetics) {
      const auto i = static_cast<size_t>(arithmetic);
      take(kernels::measure_peak(kernels::peak_loop(arithmetic), pools), one.peak[i], all.peak[i]);
    }
    limits.emplace(1, one);
  }
  return limits;
}

Bound bound_of(const plan::StepWork& work, const Limits& limits, bool exact) {
  const auto peak = [&](Arithmetic arithmetic) { return limits.peak[static_cast<size_t>(arithmetic)]; };
  const double memory = (work.weight_bytes + work.cache_bytes) / limits.read;
  const double attention = exact ? peak(Arithmetic::F32) : std::max(peak(Arithmetic::F32), peak(Arithmetic::Bf16));
  double arithmetic = work.attention_flops / attention;
  for (const auto& [stored, flops] : work.flops) arithmetic += flops / peak(arithmetic_of(stored, exact));
  return memory > arithmetic ? Bound{memory, "memory"} : Bound{arithmetic, "arithmetic"};
}

}  // namespace cleave::app
