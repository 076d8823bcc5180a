#include "runtime/cpu/bind_single.h"

#include <vector>

#include "kernels/rows/rows.h"

namespace cleave::runtime::cpu {

using lower::Instruction;

BoundInstruction bind_shift(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  const auto offset = static_cast<float>(std::get<graph::ShiftAttributes>(i.attributes).offset);
  return
      [&w, &i, x, y, offset, n = num_elements(i.output_shape)] { kernels::shift(x, offset, w.rows(i) * n, y, w.pool); };
}

BoundInstruction bind_clamp(const Instruction& i, const Workspace& w) {
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  const auto& a = std::get<graph::ClampAttributes>(i.attributes);
  return [&w, &i, x, y, n = num_elements(i.output_shape), min = static_cast<float>(a.min),
          max = static_cast<float>(a.max)] { kernels::clamp(x, min, max, w.rows(i) * n, y, w.pool); };
}

BoundInstruction bind_to_real(const Instruction& i, const Workspace& w) {
  const int32_t* x = w.indices(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, x, y] { kernels::to_real(x, w.rows(i), y, w.pool); };
}

BoundInstruction bind_sinusoid(const Instruction& i, const Workspace& w) {
  const auto& a = std::get<graph::SinusoidAttributes>(i.attributes);
  const int32_t* x = w.indices(i.inputs[0]);
  float* y = w.value(i.output);
  return [&w, &i, x, y, offset = a.offset, f = std::vector<float>(a.frequencies.begin(), a.frequencies.end())] {
    kernels::sinusoid(x, w.rows(i), offset, f.data(), static_cast<int64_t>(f.size()), y, w.pool);
  };
}

}  // namespace cleave::runtime::cpu
