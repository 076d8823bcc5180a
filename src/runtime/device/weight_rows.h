#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tensor/tensor_view.h"

namespace cleave::runtime {

/// The rows of a parameter, wherever they come from. Thread-safe.
class WeightRows {
 public:
  virtual ~WeightRows() = default;
  virtual int64_t num_rows() const = 0;
  virtual int64_t row_elements() const = 0;  // the extent of the last dimension
  /// The type in which rows come: the stored one, or F32 where pieces are stored in different types.
  virtual DType dtype() const = 0;
  /// Whether the stored numbers have scales and come multiplied with them, as F32: more than what they are worth.
  virtual bool is_dequantized() const = 0;
  /// Row `index`: borrowed, or written into `buffer`, which holds row_bytes(dtype(), row_elements()).
  virtual std::span<const std::byte> row(int64_t index, std::span<std::byte> buffer) const = 0;
  /// Rows [first, first + out.size()): where each is, borrowed or in `buffer`, which holds that many. Rows that lie
  /// transposed are read together, many times as fast as one by one.
  virtual void rows(int64_t first, std::span<const std::byte*> out, std::byte* buffer) const;
  /// The rows as they lie in the checkpoint's mapping, where they lie there as one.
  virtual std::optional<TensorView> mapped() const = 0;
  /// Says that memory behind rows [begin, end) need not stay resident.
  virtual void release_rows(int64_t begin, int64_t end) const = 0;

  /// Bytes of all rows together.
  int64_t bytes() const { return num_rows() * row_bytes(dtype(), row_elements()); }
};

/// Where a rank has its weights from: its parameters (lower::RankPrograms), one after another.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// Bytes of all parameters' rows, and of the checkpoint that they are made of.
  virtual int64_t total_bytes() const = 0;
  virtual int64_t stored_bytes() const = 0;
  /// What WeightStore::resident_bytes() will be.
  virtual int64_t packed_bytes() const = 0;
  /// The rows of the next parameter, valid until the next call. Throws Error.
  virtual const WeightRows& next() = 0;
};

}  // namespace cleave::runtime
