#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/thread_pool.h"
#include "kernels/isa.h"
#include "kernels/weight_arena.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Whether scratch holds what the previous product with the same x has left there, whose matrix's preparation() was the
/// same.
enum class Prepared : uint8_t { No, Yes };

/// The weights W of a linear, packed for the product y[m, n] = x[m, k] * W[n, k]^T. Immutable: several threads may call
/// a const member at once, each with its own scratch and pool. Owns its memory
/// or borrows it from PackOptions::arena.
class Matrix {
 public:
  virtual ~Matrix() = default;

  virtual int64_t n() const = 0;
  virtual int64_t k() const = 0;

  /// Resident bytes of the packed weights, padding included.
  virtual size_t bytes() const = 0;

  /// How the product is computed, for explain and bench: "exact Q4_1", "bf16 avx512", "Q4_1 avx512 vnni".
  virtual std::string_view kind() const = 0;

  /// Bytes of scratch that multiply() needs for up to `max_m` rows on `threads` threads.
  virtual size_t scratch_bytes(int64_t max_m, int threads) const = 0;

  /// What multiply() makes of m rows of x at the beginning of scratch before anything else: two matrices that say the
  /// same make the same, so that the second can find it there (Prepared::Yes). 0: nothing that could be shared.
  virtual uint64_t preparation(int64_t m) const = 0;

  /// Writes y[m, n]; rows of x are k apart, rows of y are n apart. A row of y depends on its row of x alone, never on
  /// m, the threads or the other rows, in exact matrices; others round activations otherwise for many rows than for
  /// few, 16-bit ones from 4 rows on, block ones from 64 on, those of experts from 16. REQUIRES: scratch is aligned to
  /// 64 bytes and holds scratch_bytes(m, pool.size()); x, y and scratch do not overlap. Does not allocate.
  virtual void multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                        Prepared prepared = Prepared::No) const = 0;
};

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

/// What Matrix::bytes() of such a matrix will be; the same errors.
size_t packed_bytes(DType dtype, int64_t n, int64_t k, const PackOptions& options);

/// Packs an [n, k] matrix of any float or block type. Reads every row once, from all threads of the pool.
/// Throws Error(Unsupported) for integer types, whatever `rows` throws, and Error(InvalidArgument) where a row has a
/// wrong size or k is no multiple of the type's block.
std::unique_ptr<Matrix> pack_matrix(DType dtype, int64_t n, int64_t k, RowReader rows, const PackOptions& options,
                                    ThreadPool& pool);
/// The same with rows that are read many at a time; their sizes are not checked.
std::unique_ptr<Matrix> pack_matrix_rows(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options,
                                         ThreadPool& pool);

}  // namespace cleave::kernels
