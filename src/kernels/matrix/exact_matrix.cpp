#include "kernels/matrix/exact_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "kernels/matrix/row_source.h"
#include "kernels/matrix/weight_arena.h"
#include "kernels/simd/table.h"
#include "tensor/convert.h"

namespace cleave::kernels {
namespace {

// Bytes of converted rows, so few that they stay in the second-level cache while all rows of x pass by.
constexpr int64_t kPanelBytes = 256 << 10;
constexpr int64_t kMaxPanelRows = 16;

class ExactMatrix : public Matrix {
 public:
  ExactMatrix(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options, ThreadPool& pool)
      : dtype_(dtype),
        n_(n),
        k_(k),
        stride_(row_bytes(dtype, k)),
        weights_(static_cast<size_t>(n * stride_), options.arena),
        table_(simd::table(options.isa)),
        kind_(fmt::format("exact {}", to_string(dtype))) {
    panel_rows_ = std::clamp<int64_t>(kPanelBytes / std::max<int64_t>(1, k * 4) / 4 * 4, 4, kMaxPanelRows);
    pool.parallel_for(weights_.is_packed() ? 0 : n, 16, [&](int64_t begin, int64_t end) {
      RowSource source(dtype, k, rows, kMaxPackRows);
      for (int64_t first = begin; first < end; first += kMaxPackRows) {
        int64_t row = first;
        for (const std::byte* bytes : source.rows(first, std::min(kMaxPackRows, end - first)))
          std::memcpy(weights_.data() + row++ * stride_, bytes, static_cast<size_t>(stride_));
      }
    });
  }

  int64_t n() const override { return n_; }
  int64_t k() const override { return k_; }
  std::span<const std::byte> packed() const override { return weights_.bytes(); }
  std::string_view kind() const override { return kind_; }
  uint64_t preparation(int64_t, Form) const override { return 0; }

  size_t scratch_bytes(int64_t, int threads) const override { return static_cast<size_t>(threads) * panel_bytes(); }

  void multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool, Prepared,
                Form) const override {
    CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
    const int64_t panels = (n_ + panel_rows_ - 1) / panel_rows_;
    const auto work = [&](int thread, int threads) {
      auto* panel = reinterpret_cast<float*>(scratch.data() + static_cast<size_t>(thread) * panel_bytes());
      for (int64_t p = panels * thread / threads; p < panels * (thread + 1) / threads; ++p)
        multiply_panel(x, m, y, p * panel_rows_, panel);
    };
    if (panels == 1 || pool.size() == 1)
      work(0, 1);
    else
      pool.run([&](int thread) { work(thread, pool.size()); });
  }

 private:
  size_t panel_bytes() const { return static_cast<size_t>((panel_rows_ * k_ * 4 + 63) / 64 * 64); }

  void multiply_panel(const float* x, int64_t m, float* y, int64_t first, float* panel) const {
    const int64_t rows = std::min(panel_rows_, n_ - first);
    const std::span<const std::byte> stored = weights_.bytes().subspan(static_cast<size_t>(first * stride_));
    const float* w = panel;
    if (dtype_ == DType::F32)
      w = reinterpret_cast<const float*>(stored.data());
    else
      convert_to_f32(dtype_, stored.first(static_cast<size_t>(rows * stride_)),
                     {panel, static_cast<size_t>(rows * k_)});
    table_.exact_product({.x = x, .w = w, .m = m, .k = k_, .rows = rows, .y = y + first, .ldy = n_});
  }

  DType dtype_;
  int64_t n_;
  int64_t k_;
  int64_t stride_;  // bytes of a stored row
  int64_t panel_rows_;
  WeightMemory weights_;
  const simd::Table& table_;
  std::string kind_;
};

}  // namespace

std::unique_ptr<Matrix> make_exact_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool) {
  return std::make_unique<ExactMatrix>(dtype, n, k, rows, options, pool);
}

}  // namespace cleave::kernels
