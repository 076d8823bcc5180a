#include "kernels/measure/measure.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "base/buffer.h"
#include "base/check.h"
#include "base/stop_watch.h"
#include "kernels/matrix/pack.h"

namespace cleave::kernels {
namespace {

// Bytes that are read. Less would partly come from the caches of a large server, even if the user has two of its cores.
constexpr int64_t kBytes = int64_t{384} << 20;
// Bytes of a piece, which is long enough for the clock and short enough to fall between interruptions now and then.
constexpr int64_t kPieceBytes = int64_t{16} << 20;
constexpr int64_t kPromptRows = 512;

// Rounds end when so many in a row (the patience) have improved the figure by less than kGain. A quiet machine needs no
// more; on a busy one the rounds go on for a while.
constexpr double kGain = 0.01;
constexpr int kWalkPatience = 5, kPromptPatience = 25;  // a prompt's product is one piece, a walk dozens
constexpr int kMostPatiences = 8, kMostRounds = 1000;

// Of the blocks that readers of other formats make, those of the usual groups.
constexpr std::array kTypes = {DType::F32,   DType::BF16,    DType::Q8_0,      DType::Q4_0,       DType::Q4_1,
                               DType::Q5_0,  DType::Q5_1,    DType::Q2_K,      DType::Q3_K,       DType::Q4_K,
                               DType::Q5_K,  DType::Q6_K,    DType::Q1_0,      DType::Q2_0,       DType::IQ1_S,
                               DType::IQ1_M, DType::IQ2_XXS, DType::IQ2_XS,    DType::IQ2_S,      DType::IQ3_XXS,
                               DType::IQ3_S, DType::IQ4_NL,  DType::IQ4_XS,    DType::TQ1_0,      DType::TQ2_0,
                               DType::MXFP4, DType::NVFP4,   DType::INT4_G128, DType::UINT4_G128, DType::FP8_G128};

struct LinearShape {
  int64_t n, k;
};
// The linears of a layer of a Llama of 1B: queries, keys, values, attention's output, then the gated MLP.
constexpr LinearShape kLayer[] = {{2048, 2048}, {512, 2048},  {512, 2048}, {2048, 2048},
                                  {8192, 2048}, {8192, 2048}, {2048, 8192}};
constexpr LinearShape kPromptLinear = {256, 2048};  // 3 ms of a core: a time slice of a busy machine holds it

// The time of some work, measured in pieces: for each piece the shortest time of all rounds. An interruption spoils one
// piece of one round and not the figure.
class Walk {
 public:
  explicit Walk(size_t pieces) : shortest_(pieces, std::numeric_limits<double>::infinity()) {}

  void round(FunctionRef<void(size_t piece)> work) {
    for (size_t i = 0; i < shortest_.size(); ++i) shortest_[i] = std::min(shortest_[i], seconds_of([&] { work(i); }));
  }
  double seconds() const { return std::accumulate(shortest_.begin(), shortest_.end(), 0.0); }

 private:
  std::vector<double> shortest_;
};

struct Seconds {
  double core, machine;
};
Seconds shortest_walk(size_t pieces, int patience, int max_rounds, const MeasurePools& pools,
                      FunctionRef<void(size_t piece, ThreadPool& pool)> work) {
  Walk core(pieces), machine(pieces);
  const auto improved = [](double before, double after) { return !(after > before * (1 - kGain)); };
  int idle = 0;
  for (int round = 0; round < std::min(max_rounds, kMostPatiences * patience) && idle < patience; ++round) {
    const Seconds before{core.seconds(), machine.seconds()};
    core.round([&](size_t piece) { work(piece, pools.core); });
    machine.round([&](size_t piece) { work(piece, pools.machine); });
    idle = improved(before.core, core.seconds()) || improved(before.machine, machine.seconds()) ? 0 : idle + 1;
  }
  return {core.seconds(), machine.seconds()};
}

MeasuredRate rate(double amount, const Seconds& seconds) {
  return {amount / seconds.core, amount / seconds.machine};
}

// Reads a piece of the buffer. Eight sums keep enough loads in flight, and writing them keeps the compiler from leaving
// the loads out.
void read_piece(const Buffer& buffer, int64_t offset, ThreadPool& pool, std::span<uint64_t> sums) {
  constexpr int64_t kWords = kPieceBytes / 8;
  const uint64_t* words = buffer.as<uint64_t>() + offset / 8;
  pool.run([&](int thread) {
    const int64_t begin = kWords * thread / pool.size() / 8 * 8, end = kWords * (thread + 1) / pool.size() / 8 * 8;
    uint64_t partial[8] = {};
    for (int64_t i = begin; i < end; i += 8)
      for (int64_t j = 0; j < 8; ++j) partial[j] += words[i + j];
    for (const uint64_t sum : partial) sums[static_cast<size_t>(thread)] += sum;
  });
}

// A matrix whose bytes are all 0x2c: small positive numbers in every float type, scales of about 0.07 in block types.
// Kernels take the same time whatever the numbers.
std::unique_ptr<Matrix> make_matrix(DType dtype, const LinearShape& shape, WeightArena* arena, Isa isa,
                                    ThreadPool& pool) {
  const std::vector<std::byte> row(static_cast<size_t>(row_bytes(dtype, shape.k)), std::byte{0x2c});
  const auto rows = [&](int64_t, std::span<std::byte>) -> std::span<const std::byte> { return row; };
  PackOptions options;
  options.arena = arena;
  options.isa = isa;
  return pack_matrix(dtype, shape.n, shape.k, rows, options, pool);
}

// Activations that differ, so that none of their quantised forms is special.
std::vector<float> activations(int64_t count) {
  std::vector<float> x(static_cast<size_t>(count));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 61) / 30.0f - 1.0f;
  return x;
}

// Products of up to `max_m` rows with matrices of at most kLayer's sizes.
class Products {
 public:
  explicit Products(int64_t max_m) : x_(activations(max_m * 8192)), y_(static_cast<size_t>(max_m * 8192)) {}

  void multiply(const Matrix& matrix, int64_t m, ThreadPool& pool) {
    if (const size_t bytes = matrix.scratch_bytes(m, pool.size()); bytes > scratch_.size())
      scratch_ = Buffer(bytes, Pages::Small);
    matrix.multiply(x_.data(), m, y_.data(), scratch_.bytes(), pool);
  }

 private:
  std::vector<float> x_, y_;
  Buffer scratch_;
};

MeasuredRate measure_weights_read(DType dtype, Isa isa, int max_rounds, const MeasurePools& pools) {
  WeightArena arena;
  std::vector<std::unique_ptr<Matrix>> matrices;
  int64_t stored = 0;
  while (static_cast<int64_t>(arena.used()) < kBytes)
    for (const LinearShape& shape : kLayer) {
      matrices.push_back(make_matrix(dtype, shape, &arena, isa, pools.machine));
      stored += shape.n * row_bytes(dtype, shape.k);
    }
  Products products(1);
  return rate(static_cast<double>(stored),
              shortest_walk(matrices.size(), kWalkPatience, max_rounds, pools,
                            [&](size_t i, ThreadPool& pool) { products.multiply(*matrices[i], 1, pool); }));
}

MeasuredRate measure_prompt_flops(DType dtype, Isa isa, int max_rounds, const MeasurePools& pools) {
  const auto matrix = make_matrix(dtype, kPromptLinear, nullptr, isa, pools.machine);
  Products products(kPromptRows);
  products.multiply(*matrix, kPromptRows, pools.machine);  // the first touch of scratch
  const double flops = 2.0 * kPromptRows * kPromptLinear.n * kPromptLinear.k;
  return rate(flops, shortest_walk(1, kPromptPatience, max_rounds, pools,
                                   [&](size_t, ThreadPool& pool) { products.multiply(*matrix, kPromptRows, pool); }));
}

}  // namespace

MeasuredRate measure_read(const MeasurePools& pools) {
  CHECK_EQ(pools.core.size(), 1);
  Buffer buffer(static_cast<size_t>(kBytes));
  pools.machine.parallel_for(kBytes, kPieceBytes, [&](int64_t begin, int64_t end) {
    std::memset(buffer.data() + begin, 1, static_cast<size_t>(end - begin));
  });
  std::vector<uint64_t> sums(static_cast<size_t>(pools.machine.size()));
  const Seconds seconds = shortest_walk(static_cast<size_t>(kBytes / kPieceBytes), kWalkPatience, kMostRounds, pools,
                                        [&](size_t piece, ThreadPool& pool) {
                                          read_piece(buffer, static_cast<int64_t>(piece) * kPieceBytes, pool, sums);
                                        });
  return rate(static_cast<double>(kBytes), seconds);
}

MeasuredRate measure_peak(const PeakLoop& loop, const MeasurePools& pools) {
  constexpr double kSeconds = 1e-3;  // of a piece
  int64_t rounds = 1024;
  while (seconds_of([&] { loop.run(rounds); }) < kSeconds) rounds *= 2;
  const Seconds seconds = shortest_walk(1, kPromptPatience, kMostRounds, pools,
                                        [&](size_t, ThreadPool& pool) { pool.run([&](int) { loop.run(rounds); }); });
  const double operations = static_cast<double>(rounds) * loop.operations;
  return {operations / seconds.core, operations * pools.machine.size() / seconds.machine};
}

std::span<const DType> measurable_types() {
  return kTypes;
}

ProductRates measure_products(DType dtype, const MeasurePools& pools, Isa isa, int max_rounds) {
  CHECK_EQ(pools.core.size(), 1);
  return {measure_weights_read(dtype, isa, max_rounds, pools), measure_prompt_flops(dtype, isa, max_rounds, pools)};
}

// The cost is where the line through the times of two matrices meets zero bytes. Both stay in the second-level cache.
double measure_product_call(ThreadPool& pool) {
  constexpr LinearShape kSmall = {128, 512}, kLarge = {512, 512};
  constexpr int kCalls = 2000;
  constexpr double kLeast = 1e-8;  // where noise would make it negative
  Products products(1);
  const auto seconds = [&](const LinearShape& shape) {
    const auto matrix = make_matrix(DType::BF16, shape, nullptr, best_isa(), pool);
    return shortest_call(kCalls, [&] { products.multiply(*matrix, 1, pool); });
  };
  const double small = seconds(kSmall), large = seconds(kLarge);
  return std::max(kLeast, small - (large - small) * kSmall.n / (kLarge.n - kSmall.n));
}

}  // namespace cleave::kernels
