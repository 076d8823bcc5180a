#include "runtime/weights/weight_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "base/transpose.h"
#include "ckpt/scaled_tensors.h"
#include "tensor/convert.h"

namespace cleave::runtime {

WeightReader::WeightReader(const ckpt::TensorSource& tensors, const lower::WeightView& view)
    : tensors_(tensors), view_(view) {
  CHECK(!view.shape.empty());
  layout_.row_elements = view.shape.back();
  layout_.num_rows = layout_.row_elements == 0 ? 0 : num_elements(view.shape) / layout_.row_elements;
  std::optional<DType> common;
  bool mixed = false;
  for (const lower::Piece& piece : view.pieces) {
    const ckpt::Tensor* tensor = tensors.find(piece.tensor);
    if (tensor == nullptr) fail(ErrorKind::NotFound, "weight {} is not in the checkpoint", piece.tensor);
    const Shape& shape = tensor->view.shape;
    const int64_t columns = shape.empty() || shape[0] == 0 ? 1 : num_elements(shape) / shape[0];
    const bool whole_rows = tensor->interleaved_heads == 0 || columns > 1;
    sources_.push_back({tensor, &piece, columns, piece.strides.back() == 1 && whole_rows});
    check(sources_.back());
    mixed = mixed || (common && *common != dtype_of(*tensor));
    common = dtype_of(*tensor);
    layout_.is_dequantized = layout_.is_dequantized || (tensor->scales && *common == DType::F32);
  }
  if (common && !mixed) layout_.dtype = *common;
  layout_.is_mapped = WeightReader::mapped().has_value();
}

DType WeightReader::dtype_of(const ckpt::Tensor& tensor) {
  return tensor.scales ? ckpt::scaled_dtype(tensor) : tensor.view.dtype;
}

void WeightReader::check(const Source& source) const {
  const lower::Piece& piece = *source.piece;
  int64_t last = piece.offset;
  for (size_t d = 0; d < piece.extents.size(); ++d) last += (piece.extents[d] - 1) * piece.strides[d];
  const TensorView& stored = source.tensor->view;
  if (piece.offset < 0 || last >= num_elements(stored.shape))
    fail(ErrorKind::InvalidArgument, "weight {} of shape {} is smaller than the model wants", piece.tensor,
         to_string(stored.shape));
  const int64_t block = info(stored.dtype).block_elements;
  bool aligned = piece.offset % block == 0 && piece.extents.back() % block == 0 && (block == 1 || source.runs);
  for (size_t d = 0; d + 1 < piece.strides.size(); ++d) aligned = aligned && piece.strides[d] % block == 0;
  if (!aligned)
    fail(ErrorKind::Unsupported, "weight {} is stored in {} blocks of {}, which the model would cut or transpose",
         piece.tensor, to_string(stored.dtype), block);
}

// Where Hugging Face's element stands in the file: rows of GGML's rotary order are found at (head, i, half) instead of
// (head, half, i).
int64_t WeightReader::stored_index(const Source& source, int64_t element) const {
  const int64_t heads = source.tensor->interleaved_heads;
  if (heads == 0) return element;
  const int64_t row = element / source.columns;
  const int64_t head_dim = source.tensor->view.shape[0] / heads;
  const int64_t half = head_dim / 2;
  const int64_t in_head = row % head_dim;
  return (row - in_head + in_head % half * 2 + in_head / half) * source.columns + element % source.columns;
}

// The piece's part of one row, which begins at `element` of the stored tensor.
void WeightReader::read(const Source& source, int64_t element, std::span<std::byte> target) const {
  const TensorView& stored = source.tensor->view;
  const int64_t count = source.piece->extents.back();
  const DType dtype = dtype_of(*source.tensor);
  const DTypeInfo& type = info(dtype);
  std::vector<std::byte> scaled;  // of a tensor with scales
  const auto bytes_at = [&](int64_t index, int64_t elements) {
    if (source.tensor->scales) {
      scaled.resize(static_cast<size_t>(row_bytes(dtype, elements)));
      ckpt::read_scaled(*source.tensor, index, scaled);
      return std::span<const std::byte>(scaled);
    }
    return stored.bytes.subspan(static_cast<size_t>(index / type.block_elements * type.block_bytes),
                                static_cast<size_t>(elements / type.block_elements * type.block_bytes));
  };
  const auto put = [&](std::span<const std::byte> from, int64_t at, int64_t elements) {
    if (dtype == layout_.dtype) {
      std::memcpy(target.data() + row_bytes(layout_.dtype, at), from.data(), from.size());
    } else {
      convert_to_f32(dtype, from, {reinterpret_cast<float*>(target.data()) + at, static_cast<size_t>(elements)});
    }
  };
  if (source.runs) return put(bytes_at(stored_index(source, element), count), 0, count);
  for (int64_t i = 0; i < count; ++i)
    put(bytes_at(stored_index(source, element + i * source.piece->strides.back()), 1), i, 1);
}

// The element of the stored tensor where the piece's part of row `index` begins; nothing where it has none.
std::optional<int64_t> WeightReader::find_row(const lower::Piece& piece, int64_t index) const {
  int64_t element = piece.offset;
  for (size_t d = view_.shape.size() - 1; d-- > 0;) {
    const int64_t at = index % view_.shape[d] - piece.begin[d];
    index /= view_.shape[d];
    if (at < 0 || at >= piece.extents[d]) return std::nullopt;
    element += at * piece.strides[d];
  }
  return element;
}

std::span<const std::byte> WeightReader::row(int64_t index, std::span<std::byte> buffer) const {
  CHECK_LT(index, layout_.num_rows);
  for (const Source& source : sources_) {
    const lower::Piece& piece = *source.piece;
    const std::optional<int64_t> element = find_row(piece, index);
    if (!element) continue;
    const auto size = static_cast<size_t>(layout_.row_size());
    if (source.runs && piece.extents.back() == layout_.row_elements && source.tensor->view.dtype == layout_.dtype &&
        !source.tensor->scales) {
      const DTypeInfo& type = info(layout_.dtype);
      const int64_t block = stored_index(source, *element) / type.block_elements;
      return source.tensor->view.bytes.subspan(static_cast<size_t>(block * type.block_bytes), size);
    }
    const int64_t begin = row_bytes(layout_.dtype, piece.begin.back());
    read(source, *element, buffer.subspan(static_cast<size_t>(begin)));
  }
  return buffer;
}

// Whether neighbouring rows are neighbouring elements, of 16 or 32 bits that are taken as they are.
bool WeightReader::is_transposed(const Source& source) const {
  const std::vector<int64_t>& strides = source.piece->strides;
  const int64_t bytes = info(layout_.dtype).block_bytes;
  return !source.runs && strides.size() >= 2 && strides[strides.size() - 2] == 1 &&
         source.tensor->view.dtype == layout_.dtype && !source.tensor->scales &&
         source.tensor->interleaved_heads == 0 && (bytes == 2 || bytes == 4);
}

// The piece's part of `count` rows that begin at neighbouring elements, into those of `buffer` from `row` on.
void WeightReader::read_transposed(const Source& source, int64_t element, int64_t count, int64_t row,
                                   std::byte* buffer) const {
  constexpr int64_t kColumns = 64;  // of the rows that are written; as many runs of `count` elements are read
  const lower::Piece& piece = *source.piece;
  const int64_t size = info(layout_.dtype).block_bytes;
  std::byte* target = buffer + (row * layout_.row_elements + piece.begin.back()) * size;
  std::array<const std::byte*, kColumns> runs;
  for (int64_t first = 0; first < piece.extents.back(); first += kColumns) {
    const int64_t columns = std::min(kColumns, piece.extents.back() - first);
    for (int64_t c = 0; c < columns; ++c)
      runs[static_cast<size_t>(c)] =
          source.tensor->view.bytes.data() + (element + (first + c) * piece.strides.back()) * size;
    const auto transpose = size == 2 ? transpose_16 : transpose_32;
    transpose(runs.data(), columns, count, target + first * size, layout_.row_elements);
  }
}

void WeightReader::rows(int64_t first, std::span<const std::byte*> out, std::byte* buffer) const {
  if (!std::ranges::all_of(sources_, [&](const Source& source) { return is_transposed(source); }))
    return WeightRows::rows(first, out, buffer);
  const int64_t inner = view_.shape[view_.shape.size() - 2];  // rows that can be neighbours
  const auto total = static_cast<int64_t>(out.size());
  for (int64_t row = 0; row < total;) {
    const int64_t in_inner = (first + row) % inner;
    const int64_t count = std::min(total - row, inner - in_inner);
    for (const Source& source : sources_) {
      const lower::Piece& piece = *source.piece;
      const int64_t begin = std::max(in_inner, piece.begin[piece.begin.size() - 2]);
      const int64_t end =
          std::min(in_inner + count, piece.begin[piece.begin.size() - 2] + piece.extents[piece.extents.size() - 2]);
      if (begin >= end) continue;
      if (const auto element = find_row(piece, first + row + begin - in_inner))
        read_transposed(source, *element, end - begin, row + begin - in_inner, buffer);
    }
    row += count;
  }
  const int64_t size = layout_.row_size();
  for (std::byte* row = buffer; const std::byte*& where : out) {
    where = row;
    row += size;
  }
}

int64_t WeightReader::stored_bytes() const {
  int64_t bytes = 0;
  for (const Source& source : sources_) {
    int64_t elements = 1;
    for (size_t d = 0; d < source.piece->extents.size(); ++d)
      if (source.piece->strides[d] != 0) elements *= source.piece->extents[d];
    const DTypeInfo& type = info(source.tensor->view.dtype);
    bytes += elements / type.block_elements * type.block_bytes;
  }
  return bytes;
}

std::optional<TensorView> WeightReader::mapped() const {
  if (sources_.size() != 1 || sources_[0].tensor->interleaved_heads != 0 || sources_[0].tensor->scales)
    return std::nullopt;
  const lower::Piece& piece = *sources_[0].piece;
  int64_t stride = 1;
  for (size_t d = piece.extents.size(); d-- > 0;) {
    if (piece.extents[d] != 1 && piece.strides[d] != stride) return std::nullopt;
    stride *= piece.extents[d];
  }
  const DTypeInfo& type = info(layout_.dtype);
  const int64_t block = piece.offset / type.block_elements;
  return TensorView{layout_.dtype,
                    {layout_.num_rows, layout_.row_elements},
                    sources_[0].tensor->view.bytes.subspan(static_cast<size_t>(block * type.block_bytes),
                                                           static_cast<size_t>(layout_.bytes()))};
}

// Rows of one matrix of the checkpoint, in its order: what lies between the first and the last is let go, parts of
// other ranks' included, which are read again from the page cache where they are still wanted.
void WeightReader::release_rows(int64_t begin, int64_t end) const {
  if (sources_.size() != 1 || end <= begin || sources_[0].tensor->interleaved_heads != 0) return;
  const lower::Piece& piece = *sources_[0].piece;
  const TensorView& stored = sources_[0].tensor->view;
  if (piece.extents.size() != 2 || piece.strides[0] < piece.extents[1] || piece.strides[1] != 1) return;
  const DTypeInfo& type = info(stored.dtype);
  const auto byte_of = [&](int64_t element) {
    return static_cast<size_t>(element / type.block_elements * type.block_bytes);
  };
  const size_t first = byte_of(piece.offset + begin * piece.strides[0]);
  const size_t last = std::min(stored.bytes.size(), byte_of(piece.offset + end * piece.strides[0]));
  tensors_.release({stored.dtype, {}, stored.bytes.subspan(first, last - first)});
}

void WeightReader::release() const {
  for (const Source& source : sources_) tensors_.release(source.tensor->view);
}

}  // namespace cleave::runtime
