#include <algorithm>
#include <limits>

#include "base/thread_pool.h"
#include "comm/communicator.h"

namespace cleave::comm {
namespace {

using Clock = std::chrono::steady_clock;

// The hidden states of a token, and of a chunk of a prompt: the sizes that a model exchanges.
constexpr int64_t kSmallBytes = 4 << 10;
constexpr int64_t kLargeBytes = 1 << 20;
constexpr int kSmallRepeats = 40;
constexpr int kLargeRepeats = 4;

// The shortest of several calls: what disturbs a call only makes it longer.
double seconds_of_call(Communicator& communicator, int repeats, FunctionRef<void()> call) {
  double shortest = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat <= repeats; ++repeat) {
    communicator.barrier();
    const auto begin = Clock::now();
    call();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (repeat > 0) shortest = std::min(shortest, seconds);  // the first one reserves memory
  }
  return shortest;
}

LinearCost line_through(double small, double large) {
  const double per_byte = std::max((large - small) / static_cast<double>(kLargeBytes - kSmallBytes), 1e-15);
  return {std::max(small - per_byte * static_cast<double>(kSmallBytes), 0.0), 1 / per_byte};
}

}  // namespace

CollectiveTimes measure(Communicator& communicator) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (communicator.size() == 1) return {{0, kInfinity}, {0, kInfinity}};
  const auto ranks = static_cast<size_t>(communicator.size());
  std::vector<float> values(kLargeBytes / sizeof(float));
  const auto all_reduce = [&](int64_t bytes, int repeats) {
    const int64_t count = bytes / static_cast<int64_t>(sizeof(float));
    return seconds_of_call(communicator, repeats, [&] { communicator.all_reduce(values.data(), count, DType::F32); });
  };
  const auto all_gather = [&](int64_t bytes, int repeats) {
    std::vector<int64_t> blocks(ranks, bytes / static_cast<int64_t>(ranks));
    blocks.back() += bytes % static_cast<int64_t>(ranks);
    auto* receive = reinterpret_cast<std::byte*>(values.data());
    const std::byte* own = receive + blocks[0] * communicator.rank();
    return seconds_of_call(communicator, repeats, [&] { communicator.all_gather(own, receive, blocks); });
  };
  CollectiveTimes times;
  times.all_reduce = line_through(all_reduce(kSmallBytes, kSmallRepeats), all_reduce(kLargeBytes, kLargeRepeats));
  times.all_gather = line_through(all_gather(kSmallBytes, kSmallRepeats), all_gather(kLargeBytes, kLargeRepeats));
  communicator.broadcast(&times, sizeof(times), 0);
  return times;
}

}  // namespace cleave::comm
