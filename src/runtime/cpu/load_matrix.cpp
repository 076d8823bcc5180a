#include "runtime/cpu/load_matrix.h"

#include <algorithm>
#include <cstring>

#include "base/float16.h"
#include "kernels/matrix/pack.h"

namespace cleave::runtime::cpu {

using lower::Parameter;

namespace {

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
  pack.exact = options.exact || parameter.selects_experts;
  pack.format = format_of(parameter, options.weights);
  if (options.isa) pack.isa = *options.isa;
  pack.max_m = options.max_tokens;
  pack.expert = parameter.of_expert;
  return pack;
}

// Numbers of eight bits with a scale for many keep all that they say in 16.
DType packed_type(const WeightRows& reader, const kernels::PackOptions& pack) {
  const bool narrow = reader.is_dequantized() && !pack.exact && pack.format == kernels::WeightFormat::AsStored;
  return narrow ? DType::BF16 : reader.dtype();
}

}  // namespace

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

int64_t packed_bytes(const WeightRows& rows, const Parameter& parameter, const Options& options) {
  switch (parameter.use) {
    case graph::WeightUse::Matrix:
      break;
    case graph::WeightUse::Table:
      return rows.bytes();
    case graph::WeightUse::Vector:
      return rows.num_rows() * rows.row_elements() * static_cast<int64_t>(sizeof(float));
  }
  const kernels::PackOptions pack = pack_options(parameter, options);
  return static_cast<int64_t>(
      kernels::packed_bytes(packed_type(rows, pack), rows.num_rows(), rows.row_elements(), pack));
}

}  // namespace cleave::runtime::cpu
