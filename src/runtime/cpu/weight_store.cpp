#include "runtime/cpu/weight_store.h"

#include "base/error.h"
#include "runtime/cpu/load_parameter.h"

namespace cleave::runtime::cpu {

using lower::Parameter;

int64_t LoadedParameter::bytes() const {
  return static_cast<int64_t>((matrix ? matrix->bytes() : 0) + vector.size() * sizeof(float) + memory.size());
}

WeightStore::WeightStore(WeightSource& source, std::span<const Parameter> parameters, const Options& options,
                         ThreadPool& pool, const Progress& progress)
    : stored_bytes_(source.stored_bytes()) {
  int64_t done = 0;
  const int64_t total = source.total_bytes();
  for (const Parameter& parameter : parameters) {
    if (parameter.use != graph::WeightUse::Vector && !parameter.view.functions.empty())
      fail(ErrorKind::Unsupported, "weight {}: only vectors can be changed by scale, shift or unary", parameter.name);
    const WeightRows& rows = source.next();
    LoadedParameter& loaded = parameters_.emplace_back();
    switch (parameter.use) {
      case graph::WeightUse::Matrix:
        loaded.matrix = load_matrix(rows, parameter, options, arena_, pool);
        break;
      case graph::WeightUse::Table:
        loaded.table = load_table(rows, loaded.memory);
        break;
      case graph::WeightUse::Vector:
        loaded.vector = load_vector(rows, parameter, pool);
        break;
    }
    done += rows.layout().bytes();
    progress(done, total);
  }
}

int64_t WeightStore::bytes() const {
  int64_t bytes = 0;
  for (const LoadedParameter& parameter : parameters_) bytes += parameter.bytes();
  return bytes;
}

int64_t packed_bytes(const RowLayout& rows, const Parameter& parameter, const Options& options) {
  switch (parameter.use) {
    case graph::WeightUse::Matrix:
      break;
    case graph::WeightUse::Table:
      return rows.is_mapped ? 0 : rows.bytes();
    case graph::WeightUse::Vector:
      return rows.num_rows * rows.row_elements * static_cast<int64_t>(sizeof(float));
  }
  return packed_matrix_bytes(rows, parameter, options);
}

}  // namespace cleave::runtime::cpu
