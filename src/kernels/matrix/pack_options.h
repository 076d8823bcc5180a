#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/matrix/weight_arena.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// Gives row `row` of a matrix as stored: k elements, borrowed from somewhere or written into `buffer`, which holds
/// row_bytes(dtype, k). The answer is read before the next call on the same thread and not kept. Called from several
/// threads.
using RowReader = FunctionRef<std::span<const std::byte>(int64_t row, std::span<std::byte> buffer)>;

/// Gives rows [first, first + rows.size()) of a matrix as stored: where each lies, borrowed from somewhere or written
/// into `buffer`, which has room for all of them. Read before the next call on the same thread. Called from several
/// threads, each of which asks for rows in ascending order, at most kMaxPackRows at a time.
using RowsReader = FunctionRef<void(int64_t first, std::span<const std::byte*> rows, std::byte* buffer)>;
inline constexpr int64_t kMaxPackRows = 64;

/// Groups of 32 elements of a row; a matrix whose k is no multiple of 32 stays as stored.
enum class WeightFormat : uint8_t {
  AsStored,  // 16-bit and f32 weights as such (f16 becomes bf16), blocks as blocks
  Int8,      // float weights quantised in groups, symmetric, as Q8_0; blocks as they are
  Int4,      // float weights quantised in groups with scale and minimum, as Q4_1; blocks as they are
};

struct PackOptions {
  /// f32 arithmetic on the stored values; slow, and the standard that the other ways are judged by.
  bool exact = false;
  WeightFormat format = WeightFormat::AsStored;
  Isa isa = best_isa();
  /// Largest m that will come; larger ones work too but may be slower.
  int64_t max_m = 512;
  /// Weights of an expert of a mixture: m rows are the part of a step of several times as many.
  bool expert = false;
  /// Where packed weights are put; it must outlive the matrix. Null: each matrix has memory of its own. Small matrices
  /// share huge pages in an arena, which decode gains from.
  WeightArena* arena = nullptr;
};

}  // namespace cleave::kernels
