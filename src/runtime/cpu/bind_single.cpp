#include "runtime/cpu/bind_single.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
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

// The places are stored as numbers, like everything that is read.
BoundInstruction bind_gather_columns(const Instruction& i, const Workspace& w) {
  const float *x = w.numbers(i.inputs[0]), *stored = w.numbers(i.inputs[1]);
  const int64_t n = i.input_shapes[0].back(), k = i.output_shape.back(), repeat = num_elements(i.output_shape) / k;
  if (!std::all_of(stored, stored + k, [n](float place) { return place >= 0 && place < static_cast<float>(n); }))
    fail(ErrorKind::Corrupt, "an order of columns names others than the {} that there are", n);
  std::vector<int32_t> places(stored, stored + k);
  float* y = w.value(i.output);
  return [&w, &i, x, y, n, k, repeat, places = std::move(places)] {
    kernels::gather_columns(x, places.data(), w.rows(i) * repeat, n, k, y, w.pool);
  };
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
