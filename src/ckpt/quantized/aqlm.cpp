// AQLM. Source: aqlm 1.1.7 (utils.py, _dequantize_weight).
#include <fmt/format.h>

#include <cstring>
#include <memory>

#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/number_at.h"
#include "ckpt/tensors/numbers_reader.h"

namespace cleave::ckpt {
namespace {

/// Weights that are sums of vectors of several codebooks: codes [rows / a, columns / b, books], codebooks [books, size,
/// a, b], scales [rows / a].
struct AqlmWeight {
  TensorView codes, codebooks, scales;
  int64_t books, size, a, b, columns;
  std::vector<TensorView> parts;
};

class AqlmNumbers final : public NumbersReader {
 public:
  explicit AqlmNumbers(AqlmWeight weight) : weight_(std::move(weight)) {}
  std::span<const TensorView> parts() const override { return weight_.parts; }

 private:
  int64_t code(int64_t index) const {
    uint16_t code = 0;
    const auto size = static_cast<size_t>(info(weight_.codes.dtype).block_bytes);
    std::memcpy(&code, weight_.codes.bytes.data() + static_cast<size_t>(index) * size, size);
    return code % weight_.size;
  }

  void numbers(int64_t element, std::span<float> target) const override {
    const AqlmWeight& w = weight_;
    const int64_t row = element / w.columns;
    const float scale = number_at(w.scales, row / w.a);
    for (float& out : target) {
      const int64_t column = element++ % w.columns;
      const int64_t codes = (row / w.a * (w.columns / w.b) + column / w.b) * w.books;
      float sum = 0;
      for (int64_t book = 0; book < w.books; ++book)
        sum += number_at(w.codebooks, ((book * w.size + code(codes + book)) * w.a + row % w.a) * w.b + column % w.b);
      out = scale * sum;
    }
  }

  AqlmWeight weight_;
};

}  // namespace

Tensor join_aqlm(Module& module) {
  const TensorView& codes = module.need(".codes");
  const TensorView& books = module.need(".codebooks");
  if (!is_float(books.dtype) || books.shape.size() != 4 || num_elements(books.shape) == 0)
    module.wrong(".codebooks", "numbers [books, size, out_group_size, in_group_size]");
  const int64_t limit = codes.dtype == DType::I8 ? 256 : 65536;
  if ((codes.dtype != DType::I8 && codes.dtype != DType::I16) || codes.shape.size() != 3 ||
      codes.shape[2] != books.shape[0] || num_elements(codes.shape) == 0 || books.shape[1] > limit)
    module.wrong(".codes", fmt::format("I8 or I16 [outputs, inputs, {}] into codebooks {}", books.shape[0],
                                       to_string(books.shape)));
  const TensorView& scales = module.need(".scales");
  if (!is_float(scales.dtype) || num_elements(scales.shape) != codes.shape[0])
    module.wrong(".scales", fmt::format("{} numbers", codes.shape[0]));
  const int64_t a = books.shape[2], b = books.shape[3];
  const Shape shape = {codes.shape[0] * a, codes.shape[1] * b};
  return {{DType::BF16, shape, {}},
          std::make_shared<AqlmNumbers>(
              AqlmWeight{codes, books, scales, books.shape[0], books.shape[1], a, b, shape[1], module.parts()})};
}

}  // namespace cleave::ckpt
