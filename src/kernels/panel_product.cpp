#include "kernels/panel_product.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/onednn_product.h"
#include "kernels/simd/table.h"
#include "kernels/split.h"

namespace cleave::kernels {
namespace {

// Elements of a panel's part: 128 bytes each, together a quarter of a second-level cache.
constexpr int64_t kPartDepth = 2048;

// Rows below which a task is not cut: reading or unpacking its panel would cost more than its products.
constexpr int64_t kLeastRows = 96;

constexpr size_t align_up(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

class OwnPanelProduct : public PanelProduct {
 public:
  OwnPanelProduct(const PanelShape& shape, Isa isa)
      : shape_(shape), isa_(isa), product_(simd::table(isa).panel_product) {}

  std::string_view kind() const override { return to_string(isa_); }

  int64_t padding() const override { return 1; }

  size_t scratch_bytes(int64_t max_m, int threads) const override {
    return rounded_rows_bytes(shape_, max_m, 1) + static_cast<size_t>(threads) * part_bytes();
  }

  void multiply(const float* x, int64_t m, PanelReader panels, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                Prepared prepared) const override {
    CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
    if (prepared == Prepared::No) round_rows(x, m, shape_, 1, isa_, scratch.data(), pool);
    const auto* rows = reinterpret_cast<const uint16_t*>(scratch.data());
    const int64_t chunks = count_chunks(m, pool.size());
    share_out(pool, shape_.panels() * chunks, 1, [&](int thread, int64_t task, int64_t) {
      std::byte* part = scratch.data() + rounded_rows_bytes(shape_, m, 1) + static_cast<size_t>(thread) * part_bytes();
      const int64_t chunk = task % chunks;
      multiply_panel(task / chunks, m * chunk / chunks, m * (chunk + 1) / chunks, rows, panels, y, part);
    });
  }

 private:
  size_t part_bytes() const { return static_cast<size_t>(std::min(kPartDepth, shape_.depth()) * kPanelRows * 2); }

  // Pieces that rows are cut into, so that every thread has something to do where panels are few.
  int64_t count_chunks(int64_t m, int threads) const {
    const int64_t wanted = (2 * threads + shape_.panels() - 1) / shape_.panels();
    return threads == 1 ? 1 : std::clamp<int64_t>(wanted, 1, std::max<int64_t>(1, m / kLeastRows));
  }

  // Rows [begin, end) of one panel, part by part.
  void multiply_panel(int64_t panel, int64_t begin, int64_t end, const uint16_t* rows, PanelReader panels, float* y,
                      std::byte* part) const {
    const int64_t depth = shape_.depth();
    for (int64_t first = 0; first < depth; first += kPartDepth) {
      const int64_t count = std::min(kPartDepth, depth - first);
      product_({.x = rows + begin * depth + first,
                .m = end - begin,
                .ldx = depth,
                .depth = count,
                .weights = panels(panel, first, count, part),
                .columns = shape_.columns(panel),
                .y = y + begin * shape_.n + panel * kPanelRows,
                .ldy = shape_.n,
                .accumulate = first > 0});
    }
  }

  PanelShape shape_;
  Isa isa_;
  void (*product_)(const simd::PanelTile&);
};

}  // namespace

std::unique_ptr<PanelProduct> make_panel_product(const PanelShape& shape, int64_t max_m, Isa isa) {
  if (isa == best_isa())
    if (auto product = make_onednn_product(shape, max_m, Tiles::Required)) return product;
  if (simd::table(isa).panel_product == nullptr) return nullptr;
  return std::make_unique<OwnPanelProduct>(shape, isa);
}

size_t rounded_rows_bytes(const PanelShape& shape, int64_t m, int64_t multiple) {
  return align_up(static_cast<size_t>((m + multiple - 1) / multiple * multiple * shape.depth() * 2));
}

void round_rows(const float* x, int64_t m, const PanelShape& shape, int64_t multiple, Isa isa, std::byte* out,
                ThreadPool& pool) {
  const int64_t k = shape.k, depth = shape.depth();
  auto* rows = reinterpret_cast<uint16_t*>(out);
  const auto round = simd::table(isa).to_bfloat16;
  pool.parallel_for((m + multiple - 1) / multiple * multiple, row_grain(depth), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t valid = row < m ? k : 0;
      if (valid > 0) round(x + row * k, k, rows + row * depth);
      std::fill(rows + row * depth + valid, rows + (row + 1) * depth, uint16_t{0});
    }
  });
}

}  // namespace cleave::kernels
