#include "runtime/cpu/weight_store.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/rows/elementwise.h"
#include "kernels/rows/rows.h"
#include "runtime/cpu/load_matrix.h"
#include "runtime/cpu/unary_kernel.h"
#include "tensor/convert.h"

namespace cleave::runtime::cpu {
namespace {

using lower::Parameter;

TensorView load_table(const WeightRows& reader, Buffer& memory) {
  if (std::optional<TensorView> mapped = reader.mapped()) return *mapped;
  memory = Buffer(static_cast<size_t>(reader.bytes()));
  const auto stride = static_cast<size_t>(row_bytes(reader.dtype(), reader.row_elements()));
  for (int64_t r = 0; r < reader.num_rows(); ++r) {
    const std::span<std::byte> target = memory.bytes().subspan(static_cast<size_t>(r) * stride, stride);
    const std::span<const std::byte> row = reader.row(r, target);
    if (row.data() != target.data()) std::ranges::copy(row, target.begin());
  }
  return {reader.dtype(), {reader.num_rows(), reader.row_elements()}, memory.bytes()};
}

// The functions that a definition applies to weights, in a vector's numbers.
void apply(const std::vector<lower::WeightFunction>& functions, std::vector<float>& values, ThreadPool& pool) {
  const auto count = static_cast<int64_t>(values.size());
  float* x = values.data();
  for (const lower::WeightFunction& function : functions) {
    if (const auto* scale = std::get_if<graph::ScaleAttributes>(&function))
      kernels::scale(x, static_cast<float>(scale->factor), count, x, pool);
    else if (const auto* shift = std::get_if<graph::ShiftAttributes>(&function))
      kernels::shift(x, static_cast<float>(shift->offset), count, x, pool);
    else
      kernels::unary(unary_kernel(std::get<graph::UnaryAttributes>(function).kind), x, count, x, pool);
  }
}

std::vector<float> load_vector(const WeightRows& reader) {
  const auto elements = static_cast<size_t>(reader.row_elements());
  std::vector<float> values(static_cast<size_t>(reader.num_rows()) * elements);
  std::vector<std::byte> buffer(static_cast<size_t>(row_bytes(reader.dtype(), reader.row_elements())));
  for (int64_t r = 0; r < reader.num_rows(); ++r)
    convert_to_f32(reader.dtype(), reader.row(r, buffer),
                   std::span(values).subspan(static_cast<size_t>(r) * elements, elements));
  return values;
}

}  // namespace

WeightStore load_weights(WeightSource& source, std::span<const lower::Parameter> parameters, const Options& options,
                         ThreadPool& pool, const Progress& progress) {
  WeightStore weights;
  weights.stored_bytes = source.stored_bytes();
  int64_t done = 0;
  for (const Parameter& parameter : parameters) {
    if (parameter.use != graph::WeightUse::Vector && !parameter.view.functions.empty())
      fail(ErrorKind::Unsupported, "weight {}: only vectors can be changed by scale, shift or unary", parameter.name);
    const WeightRows& rows = source.next();
    LoadedParameter& loaded = weights.parameters.emplace_back();
    switch (parameter.use) {
      case graph::WeightUse::Matrix:
        loaded.matrix = load_matrix(rows, parameter, options, weights.arena, pool);
        break;
      case graph::WeightUse::Table:
        loaded.table = load_table(rows, loaded.memory);
        break;
      case graph::WeightUse::Vector:
        loaded.vector = load_vector(rows);
        apply(parameter.view.functions, loaded.vector, pool);
        break;
    }
    done += rows.bytes();
    if (progress) progress(done, source.total_bytes());
  }
  return weights;
}

int64_t WeightStore::resident_bytes() const {
  size_t bytes = 0;
  for (const LoadedParameter& parameter : parameters)
    bytes += (parameter.matrix ? parameter.matrix->bytes() : 0) + parameter.vector.size() * sizeof(float) +
             parameter.memory.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace cleave::runtime::cpu
