#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ckpt/checkpoint.h"
#include "lower/weight_view.h"

namespace cleave::runtime {

/// Reads the rows of a parameter out of the checkpoint's mapped files. Thread-safe. Borrows checkpoint and view.
class WeightReader {
 public:
  /// Throws Error: NotFound for a tensor that the checkpoint lacks, InvalidArgument where a stored tensor is smaller
  /// than the view says, Unsupported where blocks would have to be cut or transposed.
  WeightReader(const ckpt::Checkpoint& checkpoint, const lower::WeightView& view);

  int64_t num_rows() const { return num_rows_; }
  int64_t row_elements() const { return row_elements_; }  // the extent of the last dimension
  /// The type in which rows come: the stored one, or F32 where pieces are stored in different types.
  DType dtype() const { return dtype_; }
  /// Whether the stored numbers have scales and come multiplied with them, as F32: more than what they are worth.
  bool is_dequantized() const { return is_dequantized_; }
  /// Bytes of all rows together.
  int64_t bytes() const { return num_rows_ * row_bytes(dtype_, row_elements_); }

  /// Bytes of the checkpoint that they are made of; less where numbers are repeated.
  int64_t stored_bytes() const;

  /// Row `index`: a part of the mapping, or written into `buffer`, which holds row_bytes(dtype(), row_elements()).
  std::span<const std::byte> row(int64_t index, std::span<std::byte> buffer) const;

  /// The rows as they lie in the file, where they lie there as one.
  std::optional<TensorView> contiguous() const;

  /// Says that the files' pages need not stay resident.
  void release() const;

 private:
  struct Source {
    const ckpt::Tensor* tensor;
    const lower::Piece* piece;
    int64_t columns;  // elements of one stored row of dimension 0
    bool runs;        // a row of the piece is one run of consecutive elements
  };

  static DType dtype_of(const ckpt::Tensor& tensor);
  int64_t stored_index(const Source& source, int64_t element) const;
  void check(const Source& source) const;
  void read(const Source& source, int64_t element, std::span<std::byte> target) const;

  const ckpt::Checkpoint& checkpoint_;
  const lower::WeightView& view_;
  std::vector<Source> sources_;
  int64_t num_rows_ = 0, row_elements_ = 0;
  DType dtype_ = DType::F32;
  bool is_dequantized_ = false;
};

}  // namespace cleave::runtime
