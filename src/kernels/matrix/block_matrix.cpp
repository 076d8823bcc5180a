#include "kernels/matrix/block_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/check.h"
#include "kernels/matrix/block_pack.h"
#include "kernels/matrix/level_product.h"
#include "kernels/matrix/panel_product.h"
#include "kernels/matrix/quantize_strip.h"
#include "kernels/matrix/row_source.h"
#include "kernels/matrix/weight_arena.h"
#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Rows from which a product is long. Speed then counts more than the last bit of accuracy, and activations have a
// second digit on demand only. With dot products of bytes, levels are unpacked into bytes; with matrix tiles, weights
// are unpacked into bf16 panels, a part at a time. Threads take strips from a common counter.
constexpr int64_t kLongProduct = kManyRows;

// The same for an expert, which gets some of a step's rows. With fewer rows unpacking costs more than it saves.
constexpr int64_t kLongExpertProduct = 16;

// Strips that a thread takes at a time in a long product.
constexpr int64_t kSharedStrips = 4;

constexpr size_t align_up(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

// The block type in whose layout weights of `dtype` are packed.
DType packed_type(DType dtype, WeightFormat format) {
  return has_block_layout(dtype) ? dtype : format == WeightFormat::Int4 ? DType::Q4_1 : DType::Q8_0;
}

std::string kind_of(DType dtype, const PackOptions& options) {
  const std::string_view name = has_block_layout(dtype)                ? to_string(dtype)
                                : options.format == WeightFormat::Int4 ? "int4"
                                                                       : "int8";
  return fmt::format("{} {}", name, to_string(options.isa));
}

class BlockMatrix : public Matrix {
 public:
  BlockMatrix(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options, ThreadPool& pool)
      : n_(n),
        k_(k),
        id_(*layout_of(packed_type(dtype, options.format))),
        layout_(block_layout(packed_type(dtype, options.format), k)),
        many_(options.expert ? kLongExpertProduct : kLongProduct),
        first_many_(std::max(many_, kFewProducts / (n * k) + 1)),
        table_(simd::table(options.isa)),
        kind_(kind_of(dtype, options)) {
    const int64_t strips = (n + kStripRows - 1) / kStripRows;
    weights_ = WeightMemory(block_matrix_bytes(dtype, n, k, options.format), options.arena);
    strip_bytes_ = layout_.strip_bytes(k);
    pool.parallel_for(weights_.is_packed() ? 0 : strips, 1, [&](int64_t begin, int64_t end) {
      RowSource source(dtype, k, rows, kStripRows);
      for (int64_t strip = begin; strip < end; ++strip) {
        const int64_t first = strip * kStripRows;
        const auto stored = source.padded_rows(first, std::min<int64_t>(n - first, kStripRows));
        std::byte* out = weights_.data() + strip * strip_bytes_;
        if (has_block_layout(dtype))
          strip_packer(dtype)(stored.data(), k, layout_, out);
        else
          quantize_strip(dtype, stored, k, options.format, table_, first, out);
      }
    });
    if (std::max(options.max_m, kManyRows) < first_many_) return;
    if (options.isa == Isa::Amx)
      tiles_.emplace(PanelShape{n, k}, *bf16_panel_kernel(options.isa), options.isa);
    else if (table_.split_digits != nullptr)
      levels_.emplace(n, k, id_, layout_, weights_.data(), table_);
  }

  int64_t n() const override { return n_; }
  int64_t k() const override { return k_; }
  std::span<const std::byte> packed() const override { return weights_.bytes(); }
  std::string_view kind() const override { return kind_; }

  size_t scratch_bytes(int64_t max_m, int threads) const override {
    if (!tiles_ && !levels_) return quantized_bytes(max_m);
    return std::max(quantized_bytes(max_m),
                    tiles_ ? tiles_->scratch_bytes(max_m, threads) : levels_->scratch_bytes(max_m, threads));
  }

  uint64_t preparation(int64_t m, Form form) const override {
    if (unpacks(m, form)) return tiles_ ? tiles_->preparation() : levels_->preparation();
    return uint64_t{1} << 62 | static_cast<uint64_t>(digits_of(m, form)) << 60 |
           static_cast<uint64_t>(layout_.zero) << 48 | static_cast<uint64_t>(layout_.group) << 32 |
           static_cast<uint64_t>(k_);
  }

  void multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool, Prepared prepared,
                Form form) const override {
    CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
    if (unpacks(m, form) && levels_) {
      levels_->multiply(x, m, y, scratch, pool, prepared);
      return;
    }
    if (unpacks(m, form)) {
      const auto panel = [&](int64_t index, int64_t first, int64_t depth, std::byte* buffer) {
        return unpack_panel(index, first, depth, buffer);
      };
      tiles_->multiply(x, m, panel, y, scratch, pool, prepared);
      return;
    }
    const simd::Digits digits = digits_of(m, form);
    const simd::QuantizedRows activations = quantized_rows(m, digits, scratch.data());
    if (prepared == Prepared::No) quantize(x, m, digits, activations, pool);
    const auto multiply_strips = [&](int64_t begin, int64_t end) {
      table_.block_product[static_cast<size_t>(id_)]({.x = activations,
                                                      .m = m,
                                                      .k = k_,
                                                      .weights = weights_.data() + begin * strip_bytes_,
                                                      .columns = std::min(n_, end * kStripRows) - begin * kStripRows,
                                                      .y = y + begin * kStripRows,
                                                      .ldy = n_,
                                                      .digits = digits,
                                                      .groups = layout_.groups,
                                                      .prefetch = wants_prefetch(m)});
    };
    const int64_t strips = (n_ + kStripRows - 1) / kStripRows;
    if (m < many_)
      pool.parallel_for(strips, std::max<int64_t>(1, kGrainBytes / (strip_bytes_ * m)), multiply_strips);
    else
      share_out(pool, strips, kSharedStrips, [&](int, int64_t begin, int64_t end) { multiply_strips(begin, end); });
  }

 private:
  simd::Digits digits_of(int64_t m, Form form) const {
    return decisive_rows(m, form) < many_ ? simd::Digits::Two : simd::Digits::OnDemand;
  }
  bool unpacks(int64_t m, Form form) const { return (tiles_ || levels_) && decisive_rows(m, form) >= first_many_; }
  // Rows by which the product's form is chosen.
  static int64_t decisive_rows(int64_t m, Form form) {
    if (form.like == 0) return m;
    return form.like < kManyRowsOfForm ? form.like : std::max(form.like, kLongProduct);
  }

  const std::byte* unpack_panel(int64_t panel, int64_t first, int64_t depth, std::byte* buffer) const {
    if (buffer == nullptr) return nullptr;
    constexpr int64_t kStrips = kPanelRows / kStripRows;
    const int64_t strip = panel * kStrips, strips = (n_ + kStripRows - 1) / kStripRows;
    table_.unpack_panel[static_cast<size_t>(id_)](
        {.weights = weights_.data() + strip * strip_bytes_ + layout_.strip_bytes(first),
         .strip_bytes = strip_bytes_,
         .strips = std::min(kStrips, strips - strip),
         .depth = depth,
         .groups = layout_.groups,
         .panel = buffer});
    return buffer;
  }

  // Rows of a whole number of tiles.
  static int64_t padded(int64_t m) { return (m + simd::kTileRows - 1) / simd::kTileRows * simd::kTileRows; }
  size_t group_bytes(int64_t m) const {
    return align_up(static_cast<size_t>(padded(m) * k_ / layout_.group) * sizeof(float));
  }
  size_t digit_bytes(int64_t m) const { return align_up(static_cast<size_t>(padded(m) * k_)); }
  size_t quantized_bytes(int64_t m) const { return 2 * digit_bytes(m) + 4 * group_bytes(m); }

  // A single row lies by itself where all of its groups have two digits.
  simd::QuantizedRows quantized_rows(int64_t m, simd::Digits digits, std::byte* scratch) const {
    std::byte* groups = scratch + 2 * digit_bytes(m);
    const size_t stride = group_bytes(m);
    return {.interleave = m == 1 && digits == simd::Digits::Two ? 1 : simd::kTileRows,
            .high = reinterpret_cast<int8_t*>(scratch),
            .low = reinterpret_cast<int8_t*>(scratch + digit_bytes(m)),
            .scales = reinterpret_cast<float*>(groups),
            .sums = reinterpret_cast<float*>(groups + stride),
            .offsets = reinterpret_cast<int32_t*>(groups + 2 * stride),
            .wide = reinterpret_cast<uint8_t*>(groups + 3 * stride)};
  }

  void quantize(const float* x, int64_t m, simd::Digits digits, const simd::QuantizedRows& rows,
                ThreadPool& pool) const {
    pool.parallel_for(m, row_grain(k_), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) table_.quantize(x + row * k_, k_, layout_, digits, row, rows);
    });
  }

  int64_t n_;
  int64_t k_;
  LayoutId id_;
  BlockLayout layout_;
  int64_t strip_bytes_;
  WeightMemory weights_;
  int64_t many_;                        // rows from which a product is long
  int64_t first_many_;                  // rows from which weights are unpacked
  std::optional<PanelProduct> tiles_;   // where there are tiles
  std::optional<LevelProduct> levels_;  // where there are dot products of bytes, but no tiles
  const simd::Table& table_;
  std::string kind_;
};

}  // namespace

bool has_block_layout(DType dtype) {
  return layout_of(dtype).has_value();
}

size_t block_matrix_bytes(DType dtype, int64_t n, int64_t k, WeightFormat format) {
  const int64_t strips = (n + kStripRows - 1) / kStripRows;
  return static_cast<size_t>(strips * block_layout(packed_type(dtype, format), k).strip_bytes(k));
}

std::unique_ptr<Matrix> make_block_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool) {
  return std::make_unique<BlockMatrix>(dtype, n, k, rows, options, pool);
}

}  // namespace cleave::kernels
