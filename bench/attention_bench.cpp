// Speed of attention for the heads of a Llama of 1B parameters: 32 query heads, 8 key-value heads of 64 dimensions.
// prompt/LENGTH: all rows of a prompt. decode/LENGTH: one row behind so many. store/ROWS: into the cache. t: threads.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "activations.h"
#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/attention.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kHeads = 32;
constexpr int64_t kKvHeads = 8;
constexpr int64_t kDim = 64;
constexpr int64_t kBlock = 32;

// Caches of as many layers as take half a gigabyte of keys and values, used in turn: as in a model, no layer's are in
// a processor's cache when their turn comes.
class Layers {
 public:
  Layers(DType dtype, int64_t length, int64_t bytes) {
    const int64_t blocks = (length + kBlock - 1) / kBlock;
    for (int64_t used = 0; caches_.empty() || used < bytes;) {
      KvCache cache{nullptr, nullptr, dtype, kBlock, kKvHeads, kDim, kDim};
      for (std::byte** array : {&cache.keys, &cache.values}) {
        Buffer& buffer = buffers_.emplace_back(key_block_bytes(cache) * static_cast<size_t>(blocks));
        *array = buffer.data();
        used += static_cast<int64_t>(buffer.size());
      }
      caches_.push_back(cache);
    }
    for (int32_t i = 0; i < blocks; ++i) table_.push_back(i);
  }
  const KvCache& next() { return caches_[turn_++ % caches_.size()]; }
  size_t size() const { return caches_.size(); }
  const int32_t* table() const { return table_.data(); }
  int64_t layer_bytes() const { return static_cast<int64_t>(buffers_[0].size() * 2); }

 private:
  std::vector<Buffer> buffers_;
  std::vector<KvCache> caches_;
  std::vector<int32_t> table_;
  size_t turn_ = 0;
};

void attend(benchmark::State& state, DType dtype, int64_t length, int64_t rows) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const AttentionParams params{.q_heads = kHeads, .group = kHeads / kKvHeads, .scale = 0.125f};
  Layers layers(dtype, length, rows == 1 ? 512 << 20 : 1);
  const auto kv = activations(length * kKvHeads * kDim);
  const SequenceSpan all{0, length, 0, layers.table()};
  for (size_t i = 0; i < layers.size(); ++i) store_kv(kv.data(), kv.data(), {&all, 1}, layers.next(), pool);
  const SequenceSpan span{0, rows, length - rows, layers.table()};
  const auto q = activations(rows * kHeads * kDim);
  std::vector<float> out(q.size());
  Buffer scratch(attention_scratch_bytes(params, layers.next(), pool.size()), Pages::Small);
  for (auto _ : state) attention(q.data(), {&span, 1}, layers.next(), params, out.data(), scratch.bytes(), pool);
  const auto runs = static_cast<double>(state.iterations());
  const double positions =
      static_cast<double>(rows) * (static_cast<double>(length) - static_cast<double>(rows - 1) / 2);
  state.counters["GFLOP/s"] = benchmark::Counter(runs * positions * 4e-9 * kHeads * kDim, benchmark::Counter::kIsRate);
  if (rows == 1)
    state.counters["GB/s"] =
        benchmark::Counter(runs * static_cast<double>(layers.layer_bytes()) * 1e-9, benchmark::Counter::kIsRate);
}

void store(benchmark::State& state, DType dtype, int64_t rows) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  Layers layers(dtype, 4096, 512 << 20);
  const auto kv = activations(rows * kKvHeads * kDim);
  int64_t position = 0;
  for (auto _ : state) {
    const SequenceSpan span{0, rows, position, layers.table()};
    store_kv(kv.data(), kv.data(), {&span, 1}, layers.next(), pool);
    position = (position + rows) % (4096 - rows);
  }
  state.SetItemsProcessed(state.iterations() * rows * 2 * kKvHeads * kDim);
}

}  // namespace
}  // namespace cleave::kernels

int main(int argc, char** argv) {
  using namespace cleave;
  using namespace cleave::kernels;
  const auto add = [](const std::string& name, auto body) {
    benchmark::RegisterBenchmark(name.c_str(), body)->ArgName("t")->Arg(1)->Arg(2)->UseRealTime();
  };
  for (const DType dtype : {DType::F16, DType::I8, DType::F32}) {
    const auto type = to_string(dtype);
    for (const int64_t length : {512, 4096}) {
      add(fmt::format("prompt/{}/{}", length, type), [=](benchmark::State& s) { attend(s, dtype, length, length); });
      add(fmt::format("decode/{}/{}", length, type), [=](benchmark::State& s) { attend(s, dtype, length, 1); });
    }
    for (const int64_t rows : {1, 512})
      add(fmt::format("store/{}/{}", rows, type), [=](benchmark::State& s) { store(s, dtype, rows); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
