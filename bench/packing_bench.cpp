// Speed of packing weights that lie in memory: pack/TYPE and, for what is quantised on the way, pack/TYPE/FORMAT.
// GB/s counts stored bytes. copy: the same bytes into fresh memory, what packing cannot beat. t: threads.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/matrix/pack.h"
#include "tensor/dtype.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kRows = 8192;
constexpr int64_t kColumns = 4096;

// Random bits whose halves are finite numbers of moderate size in f16 and bf16.
Buffer random_rows(DType dtype) {
  Buffer buffer(static_cast<size_t>(kRows * row_bytes(dtype, kColumns)));
  std::mt19937 generator(1);
  for (size_t i = 0; i < buffer.size() / 4; ++i)
    buffer.as<uint32_t>()[i] = (static_cast<uint32_t>(generator()) & 0x87ff87ffu) | 0x38003800u;
  return buffer;
}

void pack(benchmark::State& state, DType dtype, WeightFormat format) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const Buffer stored = random_rows(dtype);
  const int64_t stride = row_bytes(dtype, kColumns);
  const auto rows = [&](int64_t first, std::span<const std::byte*> out, std::byte*) {
    for (const std::byte*& row : out) row = stored.data() + first++ * stride;
  };
  PackOptions options;
  options.format = format;
  options.max_m = 1;
  for (auto _ : state) pack_matrix_rows(dtype, kRows, kColumns, rows, options, pool);
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(stored.size()) * 1e-9, benchmark::Counter::kIsRate);
}

void copy(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const Buffer stored = random_rows(DType::BF16);
  for (auto _ : state) {
    Buffer fresh(stored.size());
    pool.parallel_for(static_cast<int64_t>(stored.size()), 2 << 20, [&](int64_t begin, int64_t end) {
      std::memcpy(fresh.data() + begin, stored.data() + begin, static_cast<size_t>(end - begin));
    });
  }
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(stored.size()) * 1e-9, benchmark::Counter::kIsRate);
}

}  // namespace
}  // namespace cleave::kernels

int main(int argc, char** argv) {
  using namespace cleave;
  using namespace cleave::kernels;
  const auto add = [](const std::string& name, auto body) {
    benchmark::RegisterBenchmark(name.c_str(), body)->ArgName("t")->Arg(1)->Arg(2)->UseRealTime();
  };
  add("copy", copy);
  for (size_t i = 0; i < kDTypes.size(); ++i)
    if (const auto dtype = static_cast<DType>(i);
        is_block(dtype) || dtype == DType::BF16 || dtype == DType::F16 || dtype == DType::F32)
      add(fmt::format("pack/{}", to_string(dtype)),
          [=](benchmark::State& state) { pack(state, dtype, WeightFormat::AsStored); });
  for (const DType dtype : {DType::BF16, DType::F16, DType::F32}) {
    add(fmt::format("pack/{}/int8", to_string(dtype)),
        [=](benchmark::State& state) { pack(state, dtype, WeightFormat::Int8); });
    add(fmt::format("pack/{}/int4", to_string(dtype)),
        [=](benchmark::State& state) { pack(state, dtype, WeightFormat::Int4); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
