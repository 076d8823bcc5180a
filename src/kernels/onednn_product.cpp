#include "kernels/onednn_product.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/check.h"

// From OpenMP's run-time, which oneDNN uses; declared here because its header comes with one compiler each.
extern "C" void omp_set_num_threads(int threads);
extern "C" int omp_get_max_threads();

namespace cleave::kernels {
namespace {

// Rows of a task, largest first. Measured on AMX for 1536 x 576: 820 GFLOP/s at 16 rows, 1,300 from 64 on. The last
// chunk is filled up with zeros to 16 rows, one tile.
constexpr std::array<int64_t, 3> kChunks = {256, 64, 16};
constexpr int64_t kPadding = kChunks.back();

constexpr size_t align_up(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

// Keeps oneDNN on the calling thread: OpenMP's number of threads is a property of the thread that asks.
class OneThread {
 public:
  OneThread() : threads_(omp_get_max_threads()) { omp_set_num_threads(1); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { omp_set_num_threads(threads_); }

 private:
  int threads_;
};

// A primitive for one chunk of rows and one slice of columns.
struct ChunkProduct {
  dnnl::memory::desc x, weights, y, scratchpad;
  dnnl::matmul primitive;
};

bool is_fast(const char* implementation, Tiles tiles) {
  const std::string_view name(implementation);
  return name.starts_with("brg:") && name.find(tiles == Tiles::Required ? "amx" : "bf16") != std::string_view::npos;
}

// Few panels per slice keep all threads busy on small matrices, four keep x in use longer on large ones.
int64_t choose_slice(int64_t panels) {
  return panels <= 4 ? 1 : panels < 16 ? 2 : 4;
}

class OnednnProduct : public PanelProduct {
 public:
  OnednnProduct(const PanelShape& shape, Tiles tiles)
      : shape_(shape),
        panels_(shape.panels()),
        depth_(shape.depth()),
        slice_(choose_slice(panels_)),
        tiles_(tiles),
        engine_(dnnl::engine::kind::cpu, 0) {}

  std::string_view kind() const override { return "onednn"; }

  // Makes the primitives; false where one of them is not a fast one.
  bool prepare(int64_t max_m) {
    const OneThread one_thread;
    for (size_t i = 0; i < kChunks.size(); ++i) {
      if (kChunks[i] > std::max<int64_t>(kChunks.back(), max_m)) continue;
      if (!make_product(kChunks[i], slice_, whole_[i])) return false;
      if (panels_ % slice_ != 0 && !make_product(kChunks[i], panels_ % slice_, rest_[i])) return false;
    }
    return true;
  }

  int64_t padding() const override { return kPadding; }

  size_t scratch_bytes(int64_t max_m, int threads) const override {
    return rounded_rows_bytes(shape_, max_m, kPadding) + static_cast<size_t>(threads) * thread_bytes();
  }

  void multiply(const float* x, int64_t m, PanelReader panels, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                Prepared prepared) const override {
    CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
    if (prepared == Prepared::No) round_rows(x, m, shape_, kPadding, best_isa(), scratch.data(), pool);
    std::atomic<int64_t> next{0};
    pool.run([&](int thread) {
      const OneThread one_thread;
      dnnl::stream stream(engine_);
      std::byte* own =
          scratch.data() + rounded_rows_bytes(shape_, m, kPadding) + static_cast<size_t>(thread) * thread_bytes();
      const int64_t slices = (panels_ + slice_ - 1) / slice_;
      for (int64_t task = next.fetch_add(1); task < slices; task = next.fetch_add(1))
        multiply_slice(task, m, panels, y, scratch.data(), own, stream);
    });
  }

 private:
  bool make_product(int64_t rows, int64_t panels, std::unique_ptr<ChunkProduct>& out) {
    using dnnl::memory;
    using Type = memory::data_type;
    const int64_t columns = panels * kPanelRows;
    const memory::desc x({rows, depth_}, Type::bf16, memory::format_tag::ab);
    const memory::desc weights({depth_, columns}, Type::bf16, memory::format_tag::BA16a64b2a);
    const memory::desc y({rows, columns}, Type::f32, memory::format_tag::ab);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::matmul::primitive_desc description({x, weights, y}, attributes, engine_, true);
    if (!description || !is_fast(description.impl_info_str(), tiles_)) return false;
    out = std::make_unique<ChunkProduct>(
        ChunkProduct{x, weights, y, description.scratchpad_desc(), dnnl::matmul(description)});
    scratchpad_bytes_ = std::max(scratchpad_bytes_, align_up(out->scratchpad.get_size()));
    return true;
  }

  size_t result_bytes() const { return static_cast<size_t>(kChunks[0] * slice_ * kPanelRows) * sizeof(float); }
  size_t panel_bytes() const { return static_cast<size_t>(depth_ * kPanelRows * 2); }
  size_t thread_bytes() const {
    return result_bytes() + scratchpad_bytes_ + static_cast<size_t>(slice_) * panel_bytes();
  }

  // The weights of a slice, one panel behind the other.
  const std::byte* read_slice(int64_t first, int64_t panels, PanelReader reader, std::byte* buffer) const {
    const std::byte* begin = nullptr;
    for (int64_t i = 0; i < panels; ++i) {
      const std::byte* panel = reader(first + i, 0, depth_, buffer + static_cast<size_t>(i) * panel_bytes());
      if (i == 0) begin = panel;
      CHECK(panel == begin + static_cast<size_t>(i) * panel_bytes());
    }
    return begin;
  }

  void multiply_slice(int64_t slice, int64_t m, PanelReader reader, float* y, std::byte* rows, std::byte* own,
                      dnnl::stream& stream) const {
    const int64_t first = slice * slice_, n = shape_.n;
    const int64_t panels = std::min(slice_, panels_ - first);
    const int64_t columns = std::min(n - first * kPanelRows, panels * kPanelRows);
    const auto& products = panels == slice_ ? whole_ : rest_;
    const std::byte* weights = read_slice(first, panels, reader, own + result_bytes() + scratchpad_bytes_);
    for (int64_t row = 0; row < m;) {
      size_t size = 0;
      while (products[size] == nullptr || (size + 1 < kChunks.size() && kChunks[size] > m - row)) ++size;
      execute(*products[size], rows + row * depth_ * 2, weights, own, stream);
      const auto* result = reinterpret_cast<const float*>(own);
      const int64_t valid = std::min(kChunks[size], m - row);
      for (int64_t i = 0; i < valid; ++i)
        std::memcpy(y + (row + i) * n + first * kPanelRows, result + i * panels * kPanelRows,
                    static_cast<size_t>(columns) * sizeof(float));
      row += valid;
    }
  }

  void execute(const ChunkProduct& product, std::byte* rows, const std::byte* weights, std::byte* own,
               dnnl::stream& stream) const {
    const dnnl::memory x(product.x, engine_, rows);
    const dnnl::memory w(product.weights, engine_, const_cast<std::byte*>(weights));
    const dnnl::memory y(product.y, engine_, own);
    const dnnl::memory scratchpad(product.scratchpad, engine_, own + result_bytes());
    product.primitive.execute(
        stream, {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y}, {DNNL_ARG_SCRATCHPAD, scratchpad}});
    stream.wait();
  }

  PanelShape shape_;
  int64_t panels_;
  int64_t depth_;
  int64_t slice_;  // panels of a slice; the last may have fewer
  Tiles tiles_;
  size_t scratchpad_bytes_ = 0;
  dnnl::engine engine_;
  std::array<std::unique_ptr<ChunkProduct>, kChunks.size()> whole_;
  std::array<std::unique_ptr<ChunkProduct>, kChunks.size()> rest_;
};

}  // namespace

std::unique_ptr<PanelProduct> make_onednn_product(const PanelShape& shape, int64_t max_m, Tiles tiles) {
  try {
    auto product = std::make_unique<OnednnProduct>(shape, tiles);
    if (product->prepare(max_m)) return product;
  } catch (const dnnl::error&) {
    // No such kernel for these sizes: our own do the work.
  }
  return nullptr;
}

}  // namespace cleave::kernels
