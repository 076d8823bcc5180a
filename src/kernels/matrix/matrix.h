#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/thread_pool.h"

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

}  // namespace cleave::kernels
