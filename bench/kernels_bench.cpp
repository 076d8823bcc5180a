// Speed of the kernels next to what the memory gives: "read" is the measured read bandwidth of a buffer larger than any
// cache. The argument of each benchmark that is called t is the number of threads. GB/s counts the bytes of packed
// weights.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <map>
#include <tuple>
#include <vector>

#include "activations.h"
#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/matrix/pack.h"
#include "kernels/rows/elementwise.h"
#include "kernels/rows/norm.h"
#include "tensor/dtype.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kReadBytes = int64_t{512} << 20;

// Every byte 0x2c: small positive numbers in f16, bf16 and f32, and scales of about 0.07 in block types.
std::unique_ptr<Matrix> make_matrix(DType dtype, int64_t n, int64_t k, const PackOptions& options, ThreadPool& pool) {
  const auto rows = [](int64_t, std::span<std::byte> buffer) -> std::span<const std::byte> {
    std::memset(buffer.data(), 0x2c, buffer.size());
    return buffer;
  };
  return pack_matrix(dtype, n, k, rows, options, pool);
}

void read_memory(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  Buffer buffer(kReadBytes);
  std::memset(buffer.data(), 1, buffer.size());
  for (auto _ : state) {
    pool.parallel_for(kReadBytes / 8, 4096, [&](int64_t begin, int64_t end) {
      uint64_t sums[8] = {};
      const uint64_t* p = buffer.as<uint64_t>();
      for (int64_t i = begin; i < end; i += 8)
        for (int64_t j = 0; j < 8; ++j) sums[j] += p[i + j];
      benchmark::DoNotOptimize(sums);
    });
  }
  state.SetBytesProcessed(state.iterations() * kReadBytes);
}

// Copies of one matrix, used in turn, so that a small one does not stay in a cache as it would not in a model.
void product(benchmark::State& state, DType dtype, int64_t n, int64_t k, int64_t m, PackOptions options,
             int64_t total_bytes, Form form = {}) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  WeightArena arena;
  options.arena = &arena;
  std::vector<std::unique_ptr<Matrix>> copies;
  for (int64_t bytes = 0; copies.empty() || bytes < total_bytes; bytes += static_cast<int64_t>(copies.back()->bytes()))
    copies.push_back(make_matrix(dtype, n, k, options, pool));
  const auto x = activations(m * k);
  std::vector<float> y(static_cast<size_t>(m * n));
  Buffer scratch(copies[0]->scratch_bytes(m, pool.size()));
  size_t next = 0;
  for (auto _ : state) {
    copies[next]->multiply(x.data(), m, y.data(), scratch.bytes(), pool, Prepared::No, form);
    next = (next + 1) % copies.size();
  }
  state.SetLabel(std::string(copies[0]->kind()));
  const auto products = static_cast<double>(state.iterations());
  state.counters["GB/s"] =
      benchmark::Counter(products * static_cast<double>(copies[0]->bytes()) * 1e-9, benchmark::Counter::kIsRate);
  state.counters["GFLOP/s"] =
      benchmark::Counter(products * 2e-9 * static_cast<double>(m * n * k), benchmark::Counter::kIsRate);
}

void norm(benchmark::State& state) {
  ThreadPool pool(1);
  const auto x = activations(576);
  std::vector<float> y(x.size());
  for (auto _ : state) rms_norm(x.data(), x.data(), 0, 1e-5f, 1, 576, y.data(), pool);
}

void gated(benchmark::State& state) {
  ThreadPool pool(1);
  const auto x = activations(1536);
  std::vector<float> y(x.size());
  for (auto _ : state) gate(UnaryKind::Silu, x.data(), x.data(), 1536, y.data(), pool);
}

struct Kind {
  std::string name;
  DType dtype;
  PackOptions options;
};

void register_products(const Kind& kind) {
  struct Shape {
    int64_t n, k;
    int64_t total;  // bytes of copies: what SmolLM2 has of weights, or more than a cache
  };
  const Shape shapes[] = {{576, 576, 64 << 20},  {192, 576, 64 << 20}, {1536, 576, 64 << 20},
                          {576, 1536, 64 << 20}, {49152, 576, 1},      {4096, 4096, 512 << 20}};
  for (const Shape& shape : shapes) {
    if (shape.k % info(kind.dtype).block_elements != 0) continue;
    for (const int64_t m : {1, 8, 512}) {
      if (m > 1 && shape.k != 4096 && shape.n != 1536) continue;
      benchmark::RegisterBenchmark(fmt::format("{}/{}x{}/m{}", kind.name, shape.n, shape.k, m).c_str(),
                                   [=](benchmark::State& state) {
                                     product(state, kind.dtype, shape.n, shape.k, m, kind.options,
                                             m == 1 ? shape.total : 1);
                                   })
          ->ArgName("t")
          ->Arg(1)
          ->Arg(2)
          ->UseRealTime()
          ->MinTime(0.2);
    }
  }
}

// Some rows in each form: what it costs that the number of rows does not choose it.
void register_forms(const Kind& kind) {
  for (const auto& [n, k, total] : {std::tuple{1536, 576, 1}, {4096, 4096, 512 << 20}})
    for (const int64_t m : {1, 4, 8, 16, 32, 64})
      for (const int64_t like : {1, 64})
        benchmark::RegisterBenchmark(fmt::format("form/{}/{}x{}/m{}/like{}", kind.name, n, k, m, like).c_str(),
                                     [=, n = n, k = k, total = total](benchmark::State& state) {
                                       product(state, kind.dtype, n, k, m, kind.options, total, {like});
                                     })
            ->ArgName("t")
            ->Arg(2)
            ->UseRealTime()
            ->MinTime(0.2);
}

}  // namespace
}  // namespace cleave::kernels

int main(int argc, char** argv) {
  using namespace cleave;
  using namespace cleave::kernels;
  benchmark::RegisterBenchmark("read", read_memory)->ArgName("t")->Arg(1)->Arg(2)->UseRealTime();
  std::vector<Kind> kinds = {{"bf16", DType::BF16, {}},
                             {"f32", DType::F32, {}},
                             {"int8", DType::BF16, {}},
                             {"exact_bf16", DType::BF16, {}},
                             {"exact_q4_1", DType::Q4_1, {}}};
  kinds[2].options.format = WeightFormat::Int8;
  kinds[3].options.exact = kinds[4].options.exact = true;
  for (size_t i = 0; i < kDTypes.size(); ++i)
    if (const auto dtype = static_cast<DType>(i); is_block(dtype))
      kinds.push_back({std::string(to_string(dtype)), dtype, {}});
  for (const Isa isa : available_isas())
    kinds.push_back({fmt::format("Q4_1_{}", to_string(isa)), DType::Q4_1, {.isa = isa}});
  for (const Kind& kind : kinds) register_products(kind);
  for (const DType dtype : {DType::BF16, DType::Q4_0, DType::Q4_1, DType::Q8_0, DType::Q4_K})
    register_forms({std::string(to_string(dtype)), dtype, {}});
  benchmark::RegisterBenchmark("rms_norm/576", norm);
  benchmark::RegisterBenchmark("gate_silu/1536", gated);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
