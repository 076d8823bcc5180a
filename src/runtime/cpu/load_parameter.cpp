#include "runtime/cpu/load_parameter.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/error.h"
#include "base/float16.h"
#include "kernels/matrix/pack.h"
#include "kernels/rows/elementwise.h"
#include "kernels/rows/rows.h"
#include "runtime/cpu/unary_kernel.h"
#include "tensor/convert.h"

namespace cleave::runtime::cpu {

using lower::Parameter;

namespace {

// Pages of a large matrix are let go in steps of about this many bytes while it is packed, so that file and packed copy
// are never both resident.
constexpr int64_t kReleaseBytes = int64_t{1} << 20;

// Rows of any type, rounded to bf16 into `buffer`.
void round_rows(const WeightRows& reader, int64_t first, std::span<const std::byte*> out, std::byte* buffer) {
  const RowLayout& layout = reader.layout();
  const auto elements = static_cast<size_t>(layout.row_elements), size = static_cast<size_t>(layout.row_size());
  std::vector<std::byte> stored(size * out.size());
  std::vector<float> numbers(elements);
  reader.rows(first, out, stored.data());
  auto* target = reinterpret_cast<bfloat16*>(buffer);
  for (const std::byte*& row : out) {
    convert_to_f32(layout.dtype, {row, size}, numbers);
    row = reinterpret_cast<const std::byte*>(target);
    for (const float number : numbers) *target++ = to_bfloat16(number);
  }
}

kernels::WeightFormat format_of(const lower::Parameter& parameter, kernels::WeightFormat wanted) {
  return parameter.head && wanted == kernels::WeightFormat::Int4 ? kernels::WeightFormat::Int8 : wanted;
}

kernels::PackOptions pack_options(const lower::Parameter& parameter, const Options& options) {
  kernels::PackOptions pack;
  pack.exact = options.numerics.exact || parameter.selects_experts;
  pack.format = format_of(parameter, options.numerics.weights);
  if (options.numerics.isa) pack.isa = *options.numerics.isa;
  pack.max_m = options.sizes.max_tokens;
  pack.expert = parameter.of_expert;
  return pack;
}

// The type that rows are packed from. fp8 weights that do not fall into blocks are packed as bf16, their scales
// included: its rounding is far below fp8's own steps, so that f32 would only cost memory. So are blocks that kernels
// have no layout for, and blocks of fp8 where the user wants integers.
DType packed_type(const RowLayout& rows, const kernels::PackOptions& pack) {
  if (pack.exact) return rows.dtype;
  if (rows.dtype == DType::FP8_G128 && pack.format != kernels::WeightFormat::AsStored) return DType::BF16;
  if (is_block(rows.dtype)) return kernels::has_layout(rows.dtype) ? rows.dtype : DType::BF16;
  const bool narrow = rows.is_dequantized && pack.format == kernels::WeightFormat::AsStored;
  return narrow ? DType::BF16 : rows.dtype;
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

}  // namespace

std::unique_ptr<kernels::Matrix> load_matrix(const WeightRows& reader, const lower::Parameter& parameter,
                                             const Options& options, kernels::WeightArena& arena, ThreadPool& pool) {
  kernels::PackOptions pack = pack_options(parameter, options);
  pack.arena = &arena;
  const RowLayout& layout = reader.layout();
  const DType dtype = packed_type(layout, pack);
  const int64_t stride = layout.row_size();
  const int64_t step = std::max(kernels::kMaxPackRows, kReleaseBytes / std::max<int64_t>(1, stride));
  const auto rows = [&](int64_t first, std::span<const std::byte*> out, std::byte* buffer) {
    // What was asked for before has been packed. Threads come by at different multiples of the step.
    const int64_t next = first + static_cast<int64_t>(out.size());
    if (first / step != next / step && first > 0) reader.release_rows(std::max<int64_t>(0, first - step), first);
    if (dtype != layout.dtype)
      round_rows(reader, first, out, buffer);
    else
      reader.rows(first, out, buffer);
  };
  return kernels::pack_matrix_rows(dtype, layout.num_rows, layout.row_elements, rows, pack, pool);
}

std::unique_ptr<kernels::Matrix> packed_matrix(const RowLayout& rows, const Parameter& parameter,
                                               const Options& options, kernels::WeightArena& arena, ThreadPool& pool) {
  kernels::PackOptions pack = pack_options(parameter, options);
  pack.arena = &arena;
  const auto nothing = [](int64_t, std::span<const std::byte*>, std::byte*) {};
  return kernels::pack_matrix_rows(packed_type(rows, pack), rows.num_rows, rows.row_elements, nothing, pack, pool);
}

Buffer copy_packed(const PackedPart& part, ThreadPool& pool, const Progress& progress) {
  constexpr int64_t kSlice = 64 * kChecksumChunk;  // read between two reports of progress
  const auto total = static_cast<int64_t>(part.data().size());
  const int64_t matrices = part.description().arena_bytes;
  Buffer copy(static_cast<size_t>(matrices));
  std::atomic<uint64_t> checksum{0};
  for (int64_t done = 0; done < total; done = std::min(total, done + kSlice)) {
    const int64_t chunks = (std::min(kSlice, total - done) + kChecksumChunk - 1) / kChecksumChunk;
    pool.parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        const int64_t at = done + c * kChecksumChunk;
        const auto from =
            part.data().subspan(static_cast<size_t>(at), static_cast<size_t>(std::min(kChecksumChunk, total - at)));
        if (at < matrices)
          std::memcpy(copy.data() + at, from.data(), std::min(from.size(), static_cast<size_t>(matrices - at)));
        checksum += chunk_checksum(from, at / kChecksumChunk);
        part.release(from);
      }
    });
    progress(std::min(total, done + kSlice), total);
  }
  if (checksum != part.description().checksum)
    fail(ErrorKind::Corrupt, "{} is damaged: its checksum is {:016x}, expected {:016x}; make the parts again",
         part.path().string(), checksum.load(), part.description().checksum);
  return copy;
}

int64_t packed_matrix_bytes(const RowLayout& rows, const Parameter& parameter, const Options& options) {
  const kernels::PackOptions pack = pack_options(parameter, options);
  return static_cast<int64_t>(kernels::packed_bytes(packed_type(rows, pack), rows.num_rows, rows.row_elements, pack));
}

TensorView load_table(const WeightRows& reader, Buffer& memory) {
  if (std::optional<TensorView> mapped = reader.mapped()) return *mapped;
  const RowLayout& layout = reader.layout();
  memory = Buffer(static_cast<size_t>(layout.bytes()));
  const auto stride = static_cast<size_t>(layout.row_size());
  for (int64_t r = 0; r < layout.num_rows; ++r) {
    const std::span<std::byte> target = memory.bytes().subspan(static_cast<size_t>(r) * stride, stride);
    const std::span<const std::byte> row = reader.row(r, target);
    if (row.data() != target.data()) std::ranges::copy(row, target.begin());
  }
  return {layout.dtype, {layout.num_rows, layout.row_elements}, memory.bytes()};
}

std::vector<float> load_vector(const WeightRows& reader, const Parameter& parameter, ThreadPool& pool) {
  const RowLayout& layout = reader.layout();
  const auto elements = static_cast<size_t>(layout.row_elements);
  std::vector<float> values(static_cast<size_t>(layout.num_rows) * elements);
  std::vector<std::byte> buffer(static_cast<size_t>(layout.row_size()));
  for (int64_t r = 0; r < layout.num_rows; ++r)
    convert_to_f32(layout.dtype, reader.row(r, buffer),
                   std::span(values).subspan(static_cast<size_t>(r) * elements, elements));
  apply(parameter.view.functions, values, pool);
  return values;
}

}  // namespace cleave::runtime::cpu
