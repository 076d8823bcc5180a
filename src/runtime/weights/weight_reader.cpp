#include "runtime/weights/weight_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "base/transpose.h"
#include "ckpt/tensors/dequantised.h"
#include "tensor/convert.h"

namespace cleave::runtime {
namespace {

// Stored bytes of some elements of a tensor, scales and the like included.
int64_t bytes_of(const ckpt::Tensor& tensor, int64_t elements) {
  if (!tensor.reader) return row_bytes(tensor.view.dtype, elements);
  double all = 0;
  for (const TensorView& part : tensor.parts()) all += static_cast<double>(part.bytes.size());
  return static_cast<int64_t>(all * static_cast<double>(elements) /
                              static_cast<double>(num_elements(tensor.view.shape)));
}

// The bytes of elements [begin, end).
std::span<const std::byte> run_of(const ckpt::Tensor& tensor, int64_t begin, int64_t end) {
  if (tensor.reader) return tensor.reader->run(begin, end);
  const auto first = static_cast<size_t>(row_bytes(tensor.view.dtype, begin));
  return tensor.view.bytes.subspan(first, static_cast<size_t>(row_bytes(tensor.view.dtype, end - begin)));
}

}  // namespace

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
    sources_.push_back({tensor, &piece, piece.strides.back() == 1});
    check(sources_.back());
    if (cuts_blocks(sources_.back()))
      sources_.back().tensor = tensor = &dequantised_.emplace_back(ckpt::dequantised(*tensor));
    const DType dtype = tensor->dtype();
    mixed = mixed || (common && *common != dtype);
    common = dtype;
    layout_.is_dequantized = layout_.is_dequantized || (dtype == DType::F32 && tensor->view.dtype != dtype);
  }
  if (common && !mixed) layout_.dtype = *common;
  layout_.is_mapped = WeightReader::mapped().has_value();
}

void WeightReader::check(const Source& source) const {
  const lower::Piece& piece = *source.piece;
  int64_t last = piece.offset;
  for (size_t d = 0; d < piece.extents.size(); ++d) last += (piece.extents[d] - 1) * piece.strides[d];
  const TensorView& stored = source.tensor->view;
  if (piece.offset < 0 || last >= num_elements(stored.shape))
    fail(ErrorKind::InvalidArgument, "weight {} of shape {} is smaller than the model wants", piece.tensor,
         to_string(stored.shape));
}

// Whether the piece is no sequence of whole blocks. Planning leaves blocks whole where it can; a definition that
// transposes a weight cuts them.
bool WeightReader::cuts_blocks(const Source& source) {
  const lower::Piece& piece = *source.piece;
  const int64_t block = info(source.tensor->dtype()).block_elements;
  if (block == 1) return false;
  bool whole = source.runs && piece.offset % block == 0 && piece.extents.back() % block == 0;
  for (size_t d = 0; d + 1 < piece.strides.size(); ++d) whole = whole && piece.strides[d] % block == 0;
  return !whole;
}

// The piece's part of one row, which begins at `element` of the stored tensor.
void WeightReader::read(const Source& source, int64_t element, std::span<std::byte> target) const {
  const int64_t count = source.piece->extents.back();
  const DType dtype = source.tensor->dtype();
  if (source.runs && dtype == layout_.dtype)
    return read_elements(*source.tensor, element, target.first(static_cast<size_t>(row_bytes(dtype, count))));
  const int64_t run = source.runs ? count : 1;
  std::vector<std::byte> stored(static_cast<size_t>(row_bytes(dtype, run)));
  for (int64_t i = 0; i < count; i += run) {
    read_elements(*source.tensor, element + i * source.piece->strides.back(), stored);
    std::byte* to = target.data() + row_bytes(layout_.dtype, i);
    if (dtype == layout_.dtype)
      std::memcpy(to, stored.data(), stored.size());
    else
      convert_to_f32(dtype, stored, {reinterpret_cast<float*>(to), static_cast<size_t>(run)});
  }
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
        !source.tensor->reader) {
      const DTypeInfo& type = info(layout_.dtype);
      const int64_t block = *element / type.block_elements;
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
         source.tensor->dtype() == layout_.dtype && (bytes == 2 || bytes == 4);
}

// The piece's part of `count` rows that begin at neighbouring elements, into those of `buffer` from `row` on.
void WeightReader::read_transposed(const Source& source, int64_t element, int64_t count, int64_t row,
                                   std::byte* buffer) const {
  constexpr int64_t kColumns = 64;  // of the rows that are written; as many runs of `count` elements are read
  const lower::Piece& piece = *source.piece;
  const int64_t size = info(layout_.dtype).block_bytes, run_size = count * size;
  std::byte* target = buffer + (row * layout_.row_elements + piece.begin.back()) * size;
  std::array<const std::byte*, kColumns> runs;
  std::vector<std::byte> read(source.tensor->reader ? static_cast<size_t>(kColumns * run_size) : 0);
  for (int64_t first = 0; first < piece.extents.back(); first += kColumns) {
    const int64_t columns = std::min(kColumns, piece.extents.back() - first);
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t begin = element + (first + c) * piece.strides.back();
      std::byte* copy = read.data() + c * run_size;
      if (source.tensor->reader) read_elements(*source.tensor, begin, {copy, static_cast<size_t>(run_size)});
      runs[static_cast<size_t>(c)] = source.tensor->reader ? copy : source.tensor->view.bytes.data() + begin * size;
    }
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
    bytes += bytes_of(*source.tensor, elements);
  }
  return bytes;
}

std::optional<TensorView> WeightReader::mapped() const {
  if (sources_.size() != 1 || sources_[0].tensor->reader) return std::nullopt;
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
  if (sources_.size() != 1 || end <= begin) return;
  const lower::Piece& piece = *sources_[0].piece;
  if (piece.extents.size() != 2 || piece.strides[0] < piece.extents[1] || piece.strides[1] != 1) return;
  const ckpt::Tensor& tensor = *sources_[0].tensor;
  const int64_t first = piece.offset + begin * piece.strides[0];
  const int64_t last = std::min(num_elements(tensor.view.shape), piece.offset + end * piece.strides[0]);
  tensors_.release({tensor.dtype(), {}, run_of(tensor, first, last)});
}

void WeightReader::release() const {
  for (const Source& source : sources_)
    for (const TensorView& part : source.tensor->parts()) tensors_.release(part);
}

}  // namespace cleave::runtime
