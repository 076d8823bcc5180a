#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "tensor/tensor_view.h"

namespace cleave::runtime {

/// What is known of a parameter's rows before any of them is read. Plain bytes: ranks send it to one another.
struct RowLayout {
  int64_t num_rows = 0;
  int64_t row_elements = 0;  // extent of the last dimension
  /// Type in which rows come: the stored one, or F32 where pieces are stored in different types.
  DType dtype = DType::F32;
  /// Whether the stored numbers have scales that rows come multiplied with: they are F32 then, though the stored
  /// numbers have eight bits.
  bool is_dequantized = false;
  bool is_mapped = false;  // the rows lie in a mapped file, one after another (WeightRows::mapped())

  int64_t row_size() const { return row_bytes(dtype, row_elements); }
  int64_t bytes() const { return num_rows * row_size(); }
};

class PackedPart;

/// The rows of one parameter, wherever they come from. Thread-safe.
class WeightRows {
 public:
  virtual ~WeightRows() = default;
  const RowLayout& layout() const { return layout_; }
  /// Row `index`: borrowed, or written into `buffer`, which holds layout().row_size().
  virtual std::span<const std::byte> row(int64_t index, std::span<std::byte> buffer) const = 0;
  /// Rows [first, first + out.size()): where each is, borrowed or in `buffer`, which holds that many. Rows that lie
  /// transposed are read together, many times as fast as one by one.
  virtual void rows(int64_t first, std::span<const std::byte*> out, std::byte* buffer) const;
  /// All rows as they lie in the checkpoint's mapping; nothing unless layout().is_mapped.
  virtual std::optional<TensorView> mapped() const = 0;
  /// Says that memory behind rows [begin, end) need not stay resident.
  virtual void release_rows(int64_t begin, int64_t end) const = 0;

 protected:
  RowLayout layout_;
};

/// The weights of one rank: its parameters (lower::RankPrograms), one after another.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// Of every parameter, in order; known before any is read.
  virtual std::span<const RowLayout> layouts() const = 0;
  /// Bytes of the checkpoint that all of them are made of.
  virtual int64_t stored_bytes() const = 0;
  /// The rows of the next parameter, valid until the next call. Throws Error. REQUIRES: packed() is null.
  virtual const WeightRows& next() = 0;
  /// All parameters as the device has packed them in an earlier run; null as a rule.
  virtual std::shared_ptr<const PackedPart> packed() const { return nullptr; }
  /// Whether they are used where the file is mapped, instead of copied into memory.
  virtual bool stays_mapped() const { return false; }

  /// Bytes of all parameters' rows.
  int64_t total_bytes() const;
};

}  // namespace cleave::runtime
