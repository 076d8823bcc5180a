#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ckpt/checkpoint.h"
#include "lower/weight_view.h"

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

/// Reads the rows of a parameter out of the checkpoint's mapped files. Borrows checkpoint and view.
class WeightReader final : public WeightRows {
 public:
  /// Throws Error: NotFound for a tensor that the checkpoint lacks, InvalidArgument where a stored tensor is smaller
  /// than the view says, Unsupported where blocks would have to be cut or transposed.
  WeightReader(const ckpt::Checkpoint& checkpoint, const lower::WeightView& view);

  int64_t num_rows() const override { return num_rows_; }
  int64_t row_elements() const override { return row_elements_; }
  DType dtype() const override { return dtype_; }
  bool is_dequantized() const override { return is_dequantized_; }
  std::span<const std::byte> row(int64_t index, std::span<std::byte> buffer) const override;
  void rows(int64_t first, std::span<const std::byte*> out, std::byte* buffer) const override;
  std::optional<TensorView> mapped() const override;
  void release_rows(int64_t begin, int64_t end) const override;

  /// Bytes of the checkpoint that they are made of; less where numbers are repeated.
  int64_t stored_bytes() const;
  /// Says that no page of the files' tensors need stay resident.
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
  std::optional<int64_t> find_row(const lower::Piece& piece, int64_t index) const;
  bool is_transposed(const Source& source) const;
  void read_transposed(const Source& source, int64_t element, int64_t count, int64_t row, std::byte* buffer) const;

  const ckpt::Checkpoint& checkpoint_;
  const lower::WeightView& view_;
  std::vector<Source> sources_;
  int64_t num_rows_ = 0, row_elements_ = 0;
  DType dtype_ = DType::F32;
  bool is_dequantized_ = false;
};

}  // namespace cleave::runtime
