#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "ckpt/tensor_source.h"
#include "lower/weight_view.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

/// The rows of a parameter out of stored tensors, a checkpoint's mapped files as a rule. Borrows tensors and view.
class WeightReader final : public WeightRows {
 public:
  /// Rows are of F32 where they cut or cross the blocks of a stored tensor. Throws Error: NotFound for a tensor that is
  /// not there, InvalidArgument where a stored tensor is smaller than the view says.
  WeightReader(const ckpt::TensorSource& tensors, const lower::WeightView& view);

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
    bool runs;  // a row of the piece is one run of consecutive elements
  };

  void check(const Source& source) const;
  static bool cuts_blocks(const Source& source);
  void read(const Source& source, int64_t element, std::span<std::byte> target) const;
  std::optional<int64_t> find_row(const lower::Piece& piece, int64_t index) const;
  bool is_transposed(const Source& source) const;
  void read_transposed(const Source& source, int64_t element, int64_t count, int64_t row, std::byte* buffer) const;

  const ckpt::TensorSource& tensors_;
  const lower::WeightView& view_;
  std::deque<ckpt::Tensor> dequantised_;
  std::vector<Source> sources_;
};

}  // namespace cleave::runtime
