#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/matrix/weight_arena.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// A function that gives row `row` of a matrix as stored: k elements, either borrowed or written into `buffer`, which
/// holds row_bytes(dtype, k) bytes. The row is read before the next call on the same thread and not kept. Several
/// threads call it at once.
using RowReader = FunctionRef<std::span<const std::byte>(int64_t row, std::span<std::byte> buffer)>;

/// A function that gives rows [first, first + rows.size()) of a matrix as stored, at most kMaxPackRows: it sets rows[i]
/// to where a row begins, either borrowed or written into `buffer`, which has room for all of them. The rows are read
/// before the next call on the same thread and not kept. Several threads call it at once, each for rows in ascending
/// order.
using RowsReader = FunctionRef<void(int64_t first, std::span<const std::byte*> rows, std::byte* buffer)>;
inline constexpr int64_t kMaxPackRows = 64;

/// What packing makes of weights. Quantised weights have a scale for each group of 32 elements of a row; a matrix whose
/// k is no multiple of 32 is packed as stored.
enum class WeightFormat : uint8_t {
  AsStored,  // 16-bit (f16 becomes bf16), f32 and blocks stay what they are
  Int8,      // floats become Q8_0, signed levels of 8 bits; blocks stay
  Int4,      // floats become Q4_1, levels of 4 bits with a minimum for each group; blocks stay
};

/// How a matrix is packed.
struct PackOptions {
  /// Weights stay as stored and products are f32 arithmetic on their values: slow, the standard for all other ways.
  bool exact = false;
  WeightFormat format = WeightFormat::AsStored;
  Isa isa = best_isa();
  /// Largest m that multiply() is expected to get. A larger one works, but may be slower.
  int64_t max_m = 512;
  /// Whether these are the weights of an expert of a mixture, which gets only some of a step's rows: ways for many rows
  /// then begin at fewer.
  bool expert = false;
  /// Memory for the packed weights, which outlives the matrix; null: the matrix has memory of its own. In an arena
  /// small matrices share pages of two megabytes, which makes decoding faster.
  WeightArena* arena = nullptr;
};

}  // namespace cleave::kernels
