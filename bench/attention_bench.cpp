// Speed of attention for the heads of a Llama of 1B parameters: 32 query heads, 8 key-value heads of 64 dimensions; and
// of latent attention: 16 query heads, one key of 576 dimensions, of which the first 512 are the value.
// prompt/LENGTH: all rows of a prompt. decode/LENGTH: one row behind so many. store/ROWS: into the cache. t: threads.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "activations.h"
#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/attention/attention.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kBlock = 32;

struct Heads {
  const char* name;
  int64_t q, kv, key_dim, value_dim;
  bool values_in_keys;
};
constexpr Heads kLlama = {"", 32, 8, 64, 64, false};
constexpr Heads kLatent = {"latent/", 16, 1, 576, 512, true};

// Caches of as many layers as take half a gigabyte of keys and values, used in turn: as in a model, no layer's are in
// a processor's cache when their turn comes.
class Layers {
 public:
  Layers(const Heads& heads, DType dtype, int64_t length, int64_t bytes) {
    const int64_t blocks = (length + kBlock - 1) / kBlock;
    for (int64_t used = 0; caches_.empty() || used < bytes;) {
      KvCache cache{nullptr, nullptr, dtype, kBlock, heads.kv, heads.key_dim, heads.value_dim, heads.values_in_keys};
      cache.keys = buffers_.emplace_back(key_block_bytes(cache) * static_cast<size_t>(blocks)).data();
      layer_bytes_ = static_cast<int64_t>(buffers_.back().size());
      cache.values = buffers_.emplace_back(value_block_bytes(cache) * static_cast<size_t>(blocks)).data();
      layer_bytes_ += static_cast<int64_t>(buffers_.back().size());
      used += layer_bytes_;
      caches_.push_back(cache);
    }
    for (int32_t i = 0; i < blocks; ++i) table_.push_back(i);
  }
  const KvCache& next() { return caches_[turn_++ % caches_.size()]; }
  size_t size() const { return caches_.size(); }
  const int32_t* table() const { return table_.data(); }
  int64_t layer_bytes() const { return layer_bytes_; }

 private:
  std::vector<Buffer> buffers_;
  std::vector<KvCache> caches_;
  std::vector<int32_t> table_;
  size_t turn_ = 0;
  int64_t layer_bytes_ = 0;
};

void attend(benchmark::State& state, const Heads& heads, DType dtype, int64_t length, int64_t rows) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const AttentionParams params{.q_heads = heads.q, .group = heads.q / heads.kv, .scale = 0.125f};
  Layers layers(heads, dtype, length, rows == 1 ? 512 << 20 : 1);
  const auto kv = activations(length * heads.kv * heads.key_dim);
  const SequenceSpan all{0, length, 0, layers.table()};
  for (size_t i = 0; i < layers.size(); ++i) store_kv(kv.data(), kv.data(), {&all, 1}, layers.next(), pool);
  const SequenceSpan span{0, rows, length - rows, layers.table()};
  const auto q = activations(rows * heads.q * heads.key_dim);
  std::vector<float> out(static_cast<size_t>(rows * heads.q * heads.value_dim));
  Buffer scratch(attention_scratch_bytes(params, layers.next(), pool.size()), Pages::Small);
  for (auto _ : state) attention(q.data(), {&span, 1}, layers.next(), params, out.data(), scratch.bytes(), pool);
  const auto runs = static_cast<double>(state.iterations());
  const double positions =
      static_cast<double>(rows) * (static_cast<double>(length) - static_cast<double>(rows - 1) / 2);
  state.counters["GFLOP/s"] =
      benchmark::Counter(runs * positions * 2e-9 * static_cast<double>(heads.q * (heads.key_dim + heads.value_dim)),
                         benchmark::Counter::kIsRate);
  if (rows == 1)
    state.counters["GB/s"] =
        benchmark::Counter(runs * static_cast<double>(layers.layer_bytes()) * 1e-9, benchmark::Counter::kIsRate);
}

void store(benchmark::State& state, const Heads& heads, DType dtype, int64_t rows) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  Layers layers(heads, dtype, 4096, 512 << 20);
  const auto kv = activations(rows * heads.kv * heads.key_dim);
  int64_t position = 0;
  for (auto _ : state) {
    const SequenceSpan span{0, rows, position, layers.table()};
    store_kv(kv.data(), kv.data(), {&span, 1}, layers.next(), pool);
    position = (position + rows) % (4096 - rows);
  }
  state.SetItemsProcessed(state.iterations() * rows * heads.kv * (heads.key_dim + heads.value_dim));
}

}  // namespace
}  // namespace cleave::kernels

int main(int argc, char** argv) {
  using namespace cleave;
  using namespace cleave::kernels;
  const auto add = [](const std::string& name, auto body) {
    benchmark::RegisterBenchmark(name.c_str(), body)->ArgName("t")->Arg(1)->Arg(2)->UseRealTime();
  };
  for (const Heads& heads : {kLlama, kLatent})
    for (const DType dtype : {DType::F16, DType::I8, DType::F32}) {
      const auto named = [&](const char* what, int64_t n) {
        return fmt::format("{}{}/{}/{}", heads.name, what, n, to_string(dtype));
      };
      for (const int64_t length : {512, 4096}) {
        add(named("prompt", length), [=](benchmark::State& s) { attend(s, heads, dtype, length, length); });
        add(named("decode", length), [=](benchmark::State& s) { attend(s, heads, dtype, length, 1); });
      }
      for (const int64_t rows : {1, 512})
        add(named("store", rows), [=](benchmark::State& s) { store(s, heads, dtype, rows); });
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
