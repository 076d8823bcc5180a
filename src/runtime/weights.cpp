#include "runtime/weights.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/float16.h"
#include "kernels/elementwise.h"
#include "kernels/rows.h"
#include "runtime/binder.h"
#include "tensor/convert.h"

namespace cleave::runtime {
namespace {

using lower::Parameter;

// Pages of a large matrix are let go in steps of about this many bytes while it is packed, so that file and packed copy
// are never both resident.
constexpr int64_t kReleaseBytes = int64_t{1} << 20;

// f32 rows, rounded to bf16 into `buffer`.
void round_rows(const WeightRows& reader, int64_t first, std::span<const std::byte*> out, std::byte* buffer) {
  const auto elements = static_cast<size_t>(reader.row_elements());
  std::vector<float> numbers(elements * out.size());
  reader.rows(first, out, reinterpret_cast<std::byte*>(numbers.data()));
  auto* target = reinterpret_cast<bfloat16*>(buffer);
  for (const std::byte*& row : out) {
    for (size_t i = 0; i < elements; ++i) {
      float number;
      std::memcpy(&number, row + i * sizeof number, sizeof number);
      target[i] = to_bfloat16(number);
    }
    row = reinterpret_cast<const std::byte*>(target);
    target += elements;
  }
}

kernels::WeightFormat format_of(const lower::Parameter& parameter, kernels::WeightFormat wanted) {
  return parameter.head && wanted == kernels::WeightFormat::Int4 ? kernels::WeightFormat::Int8 : wanted;
}

kernels::PackOptions pack_options(const lower::Parameter& parameter, const Options& options) {
  kernels::PackOptions pack;
  pack.exact = options.exact || parameter.decides;
  pack.format = format_of(parameter, options.weights);
  if (options.isa) pack.isa = *options.isa;
  pack.max_m = options.max_tokens;
  pack.expert = parameter.expert;
  return pack;
}

// Numbers of eight bits with a scale for many keep all that they say in 16.
DType packed_type(const WeightRows& reader, const kernels::PackOptions& pack) {
  const bool narrow = reader.is_dequantized() && !pack.exact && pack.format == kernels::WeightFormat::AsStored;
  return narrow ? DType::BF16 : reader.dtype();
}

std::unique_ptr<kernels::Matrix> load_matrix(const WeightRows& reader, const lower::Parameter& parameter,
                                             const Options& options, kernels::WeightArena& arena, ThreadPool& pool) {
  kernels::PackOptions pack = pack_options(parameter, options);
  pack.arena = &arena;
  const DType dtype = packed_type(reader, pack);
  const int64_t stride = row_bytes(reader.dtype(), reader.row_elements());
  const int64_t step = std::max(kernels::kMaxPackRows, kReleaseBytes / std::max<int64_t>(1, stride));
  const auto rows = [&](int64_t first, std::span<const std::byte*> out, std::byte* buffer) {
    // What was asked for before has been packed. Threads come by at different multiples of the step.
    const int64_t next = first + static_cast<int64_t>(out.size());
    if (first / step != next / step && first > 0) reader.release_rows(std::max<int64_t>(0, first - step), first);
    if (dtype != reader.dtype())
      round_rows(reader, first, out, buffer);
    else
      reader.rows(first, out, buffer);
  };
  return kernels::pack_matrix_rows(dtype, reader.num_rows(), reader.row_elements(), rows, pack, pool);
}

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

int64_t packed_bytes(const WeightRows& rows, const Parameter& parameter, const Options& options) {
  switch (parameter.use) {
    case Parameter::Use::Matrix:
      break;
    case Parameter::Use::Table:
      return rows.bytes();
    case Parameter::Use::Vector:
      return rows.num_rows() * rows.row_elements() * static_cast<int64_t>(sizeof(float));
  }
  const kernels::PackOptions pack = pack_options(parameter, options);
  return static_cast<int64_t>(
      kernels::packed_bytes(packed_type(rows, pack), rows.num_rows(), rows.row_elements(), pack));
}

LoadedWeights load_weights(WeightSource& source, const lower::Program& program, const Options& options,
                           ThreadPool& pool, const Progress& progress) {
  LoadedWeights weights;
  weights.stored_bytes = source.stored_bytes();
  int64_t done = 0;
  for (const Parameter& parameter : program.parameters) {
    if (parameter.use != Parameter::Use::Vector && !parameter.view.functions.empty())
      fail(ErrorKind::Unsupported, "weight {}: only vectors can be changed by scale, shift or unary", parameter.name);
    const WeightRows& rows = source.next();
    LoadedParameter& loaded = weights.parameters.emplace_back();
    switch (parameter.use) {
      case Parameter::Use::Matrix:
        loaded.matrix = load_matrix(rows, parameter, options, weights.arena, pool);
        break;
      case Parameter::Use::Table:
        loaded.table = load_table(rows, loaded.memory);
        break;
      case Parameter::Use::Vector:
        loaded.vector = load_vector(rows);
        apply(parameter.view.functions, loaded.vector, pool);
        break;
    }
    done += rows.bytes();
    if (progress) progress(done, source.total_bytes());
  }
  return weights;
}

int64_t LoadedWeights::resident_bytes() const {
  size_t bytes = 0;
  for (const LoadedParameter& parameter : parameters)
    bytes += (parameter.matrix ? parameter.matrix->bytes() : 0) + parameter.vector.size() * sizeof(float) +
             parameter.memory.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace cleave::runtime
