#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/thread_pool.h"
#include "kernels/params/sequence_span.h"

namespace cleave::kernels {

/// Whether x has been prepared for a product already. Yes: x was rounded or quantised into scratch by the previous
/// multiply() with the same x, m and scratch, of a matrix with an equal preparation(m).
enum class Prepared : uint8_t { No, Yes };

/// The same where a form says how many there are as a rule: so many that the form of many rows pays, which rounds
/// activations more. With blocks of 4 and 8 bits and AVX-512 it takes no longer than that of few rows however few there
/// are at times, and half as long for 32 (docs/scheduling.md).
inline constexpr int64_t kManyRowsOfForm = 32;

/// How a product is computed where there are several ways, which round activations otherwise: as one of `like` rows,
/// however many there are.
struct Form {
  int64_t like = 0;  // 0: as many as there are

  bool operator==(const Form&) const = default;
};

/// The form of products of rows of a kind, as a rule.
constexpr Form form_of(RowKind kind) {
  if (kind == RowKind::ByCount) return {};
  if (kind == RowKind::Answer) return {1};
  return {kind == RowKind::ShortPrompt ? kManyRowsOfForm - 1 : kManyRows};
}

/// The weights W of a linear, packed for the product y[m, n] = x[m, k] * W[n, k]^T. Immutable: several threads may call
/// its members at once, each with its own scratch and pool. Owns its memory or borrows it from PackOptions::arena.
class Matrix {
 public:
  virtual ~Matrix() = default;

  virtual int64_t n() const = 0;
  virtual int64_t k() const = 0;

  /// The packed weights, padding included, in the layout of layout/version.h.
  virtual std::span<const std::byte> packed() const = 0;
  /// Resident bytes of the packed weights.
  size_t bytes() const { return packed().size(); }

  /// A name of how the product is computed, for explain and bench: "exact Q4_1", "bf16 avx512", "Q4_1 avx512 vnni".
  virtual std::string_view kind() const = 0;

  /// Bytes of scratch that multiply() needs for up to `max_m` rows on `threads` threads.
  virtual size_t scratch_bytes(int64_t max_m, int threads) const = 0;

  /// The form into which multiply() brings m rows of x, at the beginning of scratch, before it multiplies. Matrices
  /// with equal answers use the same form, so that the second of two products with one x can skip it (Prepared::Yes).
  /// 0: x is read as it is, and there is nothing to share.
  virtual uint64_t preparation(int64_t m, Form form = {}) const = 0;

  /// Writes y[m, n] = x[m, k] * W^T; rows of x are k apart, rows of y are n apart. A row of y depends on its row of x
  /// and on how activations are rounded, which is chosen by a number of rows, the form's or m; it does not depend on
  /// the other rows or the threads:
  ///   weights                     few rows           many rows        many: at least
  ///   exact, f32                  not rounded        not rounded
  ///   bf16, fp8                   not rounded        to bf16          4, in matrix tiles 8
  ///   blocks, int8, int4          to 16-bit levels   to 8-bit levels  64 (form: 32), an expert's 16
  ///   blocks, in matrix tiles     to 16-bit levels   to bf16          64 (form: 32), an expert's 16
  /// Rounding to bf16 takes a processor that multiplies bf16. It, and unpacking blocks, take more than kFewProducts
  /// multiplications (panel_product.h). 8-bit levels have a second byte where a number stands out (simd/table.h,
  /// Digits). Does not allocate. REQUIRES: scratch is aligned to 64 bytes and holds scratch_bytes(m, pool.size()); x, y
  /// and scratch do not overlap.
  virtual void multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                        Prepared prepared = Prepared::No, Form form = {}) const = 0;
};

}  // namespace cleave::kernels
