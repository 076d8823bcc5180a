#include "kernels/matrix/dense_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "kernels/layout/dense_layout.h"
#include "kernels/matrix/dense_pack.h"
#include "kernels/matrix/panel_product.h"
#include "kernels/matrix/row_source.h"
#include "kernels/matrix/weight_arena.h"
#include "kernels/simd/table.h"

namespace cleave::kernels {
namespace {

// Multiplications that a thread does in about the time of a barrier.
constexpr int64_t kGrainProducts = 16 << 10;

PanelForm form_of(DType dtype) {
  if (dtype == DType::FP8_G128) return PanelForm::Fp8;
  return dtype == DType::F32 || dtype == DType::F64 ? PanelForm::F32 : PanelForm::Bf16;
}

std::string_view name_of(PanelForm form) {
  return form == PanelForm::F32 ? "f32" : form == PanelForm::Bf16 ? "bf16" : "fp8";
}

class DenseMatrix : public Matrix {
 public:
  DenseMatrix(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options, ThreadPool& pool)
      : n_(n),
        k_(k),
        form_(form_of(dtype)),
        table_(simd::table(options.isa)),
        kind_(fmt::format("{} {}", name_of(form_), to_string(options.isa))) {
    const int64_t panels = (n + kPanelRows - 1) / kPanelRows;
    weights_ = WeightMemory(dense_matrix_bytes(dtype, n, k), options.arena);
    panel_bytes_ = static_cast<int64_t>(weights_.size()) / panels;
    pool.parallel_for(weights_.is_packed() ? 0 : panels, 1, [&](int64_t begin, int64_t end) {
      RowSource source(dtype, k, rows, kPanelRows);
      for (int64_t panel = begin; panel < end; ++panel) {
        const int64_t first = panel * kPanelRows;
        pack_panel(dtype, source.rows(first, std::min(n - first, kPanelRows)), k, form_, table_,
                   weights_.data() + panel * panel_bytes_);
      }
    });
    // Products of fewer rows read x as it is while weights stream by. In f32 both ways give the same result.
    const auto bf16 = form_ == PanelForm::F32 ? std::nullopt : bf16_panel_kernel(options.isa);
    const PanelKernel kernel = bf16 ? *bf16 : f32_panel_kernel(options.isa);
    first_many_ = bf16 ? std::max(kernel.least_rows, kFewProducts / (n * k) + 1) : kernel.least_rows;
    if (std::max(options.max_m, kManyRows) >= first_many_) many_rows_.emplace(PanelShape{n, k}, kernel, options.isa);
  }

  int64_t n() const override { return n_; }
  int64_t k() const override { return k_; }
  std::span<const std::byte> packed() const override { return weights_.bytes(); }
  std::string_view kind() const override { return kind_; }

  size_t scratch_bytes(int64_t max_m, int threads) const override {
    return many_rows_ ? many_rows_->scratch_bytes(max_m, threads) : 0;
  }

  uint64_t preparation(int64_t m, Form form) const override {
    return goes_by_panels(m, form) ? many_rows_->preparation() : 0;
  }

  void multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool, Prepared prepared,
                Form form) const override {
    if (goes_by_panels(m, form)) {
      const auto panel = [&](int64_t index, int64_t first, int64_t depth, std::byte* buffer) {
        return panel_part(index, first, depth, buffer);
      };
      many_rows_->multiply(x, m, panel, y, scratch, pool, prepared);
      return;
    }
    const int64_t panels = (n_ + kPanelRows - 1) / kPanelRows;
    const int64_t grain = std::max<int64_t>(1, kGrainProducts / (k_ * m * kPanelRows));
    const auto product = form_ == PanelForm::F32    ? table_.f32_product
                         : form_ == PanelForm::Bf16 ? table_.bf16_product
                                                    : table_.fp8_product;
    pool.parallel_for(panels, grain, [&](int64_t begin, int64_t end) {
      const int64_t first = begin * kPanelRows;
      product({.x = x,
               .m = m,
               .k = k_,
               .weights = weights_.data() + begin * panel_bytes_,
               .columns = std::min(n_, end * kPanelRows) - first,
               .y = y + first,
               .ldy = n_,
               .prefetch = wants_prefetch(m)});
    });
  }

 private:
  // In f32 both ways give the same result, so that the faster one is taken.
  bool goes_by_panels(int64_t m, Form form) const {
    if (!many_rows_) return false;
    const bool is_open = form.like == 0 || many_rows_->numbers() == PanelNumbers::F32;
    return (is_open ? m : form.like) >= first_many_;
  }

  const std::byte* panel_part(int64_t panel, int64_t first, int64_t depth, std::byte* buffer) const {
    const bool in_bf16 = many_rows_->numbers() == PanelNumbers::Bf16;
    const std::byte* all = weights_.data() + panel * panel_bytes_;
    if (form_ == PanelForm::F32) return all + first * kPanelRows * 4;
    if (form_ == PanelForm::Bf16 && in_bf16) return all + first * kPanelRows * 2;
    if (buffer == nullptr) return nullptr;
    auto* floats = reinterpret_cast<float*>(buffer);
    if (form_ == PanelForm::Bf16)
      table_.widen_panel(all + first * kPanelRows * 2, depth + depth % 2, floats);
    else if (in_bf16)
      table_.fp8_to_bfloat16_panel(all + first / kFp8Group * kFp8RecordBytes, depth, buffer);
    else
      table_.widen_fp8_panel(all + first / kFp8Group * kFp8RecordBytes, depth, floats);
    return buffer;
  }

  int64_t n_;
  int64_t k_;
  PanelForm form_;
  int64_t panel_bytes_;
  WeightMemory weights_;
  int64_t first_many_;  // rows from which products go by parts of panels
  std::optional<PanelProduct> many_rows_;
  const simd::Table& table_;
  std::string kind_;
};

}  // namespace

size_t dense_matrix_bytes(DType dtype, int64_t n, int64_t k) {
  const PanelShape shape{n, k};
  switch (form_of(dtype)) {
    case PanelForm::F32:
      return static_cast<size_t>(shape.panels() * kPanelRows * k * 4);
    case PanelForm::Fp8:
      return static_cast<size_t>(shape.panels() * (k / kFp8Group) * kFp8RecordBytes);
    case PanelForm::Bf16:
      break;
  }
  return static_cast<size_t>(shape.panels() * kPanelRows * shape.bf16_depth() * 2);
}

std::unique_ptr<Matrix> make_dense_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool) {
  return std::make_unique<DenseMatrix>(dtype, n, k, rows, options, pool);
}

}  // namespace cleave::kernels
