#include "runtime/measure_hardware.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/stop_watch.h"
#include "base/topology.h"
#include "comm/communicator.h"
#include "kernels/matrix/pack.h"
#include "kernels/measure/measure.h"
#include "kernels/rows/elementwise.h"
#include "kernels/rows/norm.h"

namespace cleave::runtime {
namespace {

// An exchange of a model of 1B parameters: a row of its hidden state.
constexpr int64_t kHidden = 2048;

// A rank's product between two exchanges: half a megabyte, 20-40 us. Many of them, so that they come from memory, where
// ranks take each other's bandwidth and do not finish at the same time.
constexpr int64_t kProductRows = 128;
constexpr int kProducts = 400;
constexpr int kProductsPerSample = 20;
constexpr int kWalks = 5;
constexpr int kRepeats = 20;  // of the measurement of large exchanges

constexpr double kLeastLatency = 1e-7;  // where noise would make it negative

using Cpus = std::vector<int>;

// Runs `work` on a thread of its own, bound to a CPU where there is one for it, and throws what it throws.
void on_bound_thread(const Cpus& cpus, const std::function<void()>& work) {
  std::exception_ptr error;
  std::thread thread([&] {
    try {
      if (!cpus.empty()) pin_current_thread(cpus[0]);
      work();
    } catch (...) {
      error = std::current_exception();
    }
  });
  thread.join();
  if (error) std::rethrow_exception(error);
}

// Seconds of an operation that is no product: the mean of a norm and a sum, the ones there are most of.
double measure_operation(ThreadPool& pool) {
  constexpr int kCalls = 2000;
  std::vector<float> x(kHidden, 0.5f), y(kHidden);
  const double norm =
      shortest_call(kCalls, [&] { kernels::rms_norm(x.data(), x.data(), 0, 1e-5f, 1, kHidden, y.data(), pool); });
  const double sum = shortest_call(
      kCalls, [&] { kernels::gate(kernels::UnaryKind::Silu, x.data(), x.data(), kHidden, y.data(), pool); });
  return (norm + sum) / 2;
}

void measure_cores(plan::Hardware& hardware, const Cpus& cpus, const MeasureProgress& progress, int total) {
  ThreadPool core(1), machine(hardware.cores, cpus);
  const kernels::MeasurePools pools{core, machine};
  int done = 0;
  progress("memory", done++, total);
  const kernels::MeasuredRate read = kernels::measure_read(pools);
  hardware.core_read = read.core;
  hardware.machine_read = read.machine;
  for (const DType type : kernels::measurable_types()) {
    progress(to_string(type), done++, total);
    const kernels::ProductRates rates = kernels::measure_products(type, pools);
    hardware.formats[std::string(to_string(type))] = {rates.read.core, rates.read.machine, rates.flops.core,
                                                      rates.flops.machine};
  }
  const plan::FormatRates& bf16 = hardware.formats.at("BF16");
  hardware.formats["F16"] = bf16;  // which it becomes when it is packed
  hardware.core_flops = bf16.core_flops;
  hardware.machine_flops = bf16.machine_flops;
  progress("calls", done, total);
  hardware.call_seconds = kernels::measure_product_call(machine);
  hardware.operation_seconds = measure_operation(machine);
}

/// What one rank of a group does to find what an exchange costs it.
class ExchangeRank {
 public:
  ExchangeRank(comm::Communicator& communicator, int threads, const Cpus& cpus)
      : communicator_(communicator), pool_(threads, cpus), x_(kHidden, 0.5f), y_(kHidden, 0.0f) {
    const std::vector<std::byte> row(static_cast<size_t>(row_bytes(DType::BF16, kHidden)), std::byte{0x2c});
    kernels::PackOptions options;
    options.arena = &arena_;
    const auto rows = [&](int64_t, std::span<std::byte>) -> std::span<const std::byte> { return row; };
    for (int i = 0; i < kProducts; ++i)
      weights_.push_back(kernels::pack_matrix(DType::BF16, kProductRows, kHidden, rows, options, pool_));
  }

  /// Seconds that an all-reduce of kHidden floats adds to a product, the wait for the slower rank included.
  double latency() {
    double with = std::numeric_limits<double>::infinity(), without = with;
    for (int walk = 0; walk < kWalks; ++walk)
      for (int first = 0; first < kProducts; first += kProductsPerSample) {
        with = std::min(with, sample(first, true));
        without = std::min(without, sample(first, false));
      }
    return (with - without) / kProductsPerSample;
  }

 private:
  // Both kinds end in a barrier: the slower rank counts.
  double sample(int first, bool exchange) {
    communicator_.barrier();
    return seconds_of([&] {
      for (int i = first; i < first + kProductsPerSample; ++i) {
        weights_[static_cast<size_t>(i)]->multiply(x_.data(), 1, y_.data(), {}, pool_);
        if (exchange) communicator_.all_reduce(y_.data(), kHidden, DType::F32);
      }
      communicator_.barrier();
    });
  }

  comm::Communicator& communicator_;
  ThreadPool pool_;
  kernels::WeightArena arena_;
  std::vector<std::unique_ptr<kernels::Matrix>> weights_;
  std::vector<float> x_, y_;
};

struct ExchangeTimes {
  double latency = 0;           // of a small all-reduce, the bytes' own time included
  double bytes_per_second = 0;  // of large ones
};

ExchangeTimes measure_rank(comm::Communicator& communicator, int threads, const Cpus& cpus) {
  try {
    ExchangeTimes times;
    times.latency = ExchangeRank(communicator, threads, cpus).latency();
    for (int repeat = 0; repeat < kRepeats; ++repeat)
      times.bytes_per_second =
          std::max(times.bytes_per_second, comm::measure(communicator).all_reduce.bytes_per_second);
    return times;
  } catch (const std::exception& error) {
    communicator.abort(error.what());
    throw;
  }
}

void measure_exchanges(plan::Hardware& hardware, int ranks, const std::vector<Cpus>& cpus) {
  const int threads = std::max(1, hardware.cores / ranks);
  const auto communicators = comm::thread_communicators(ranks, {.threads_per_rank = threads});
  std::vector<std::thread> others;
  for (int rank = 1; rank < ranks; ++rank)
    others.emplace_back([&, rank] {
      const auto r = static_cast<size_t>(rank);
      try {
        on_bound_thread(cpus[r], [&] { measure_rank(*communicators[r], threads, cpus[r]); });
      } catch (const std::exception&) {  // rank 0 hears of it
      }
    });
  ExchangeTimes times;
  std::exception_ptr error;
  try {
    on_bound_thread(cpus[0], [&] { times = measure_rank(*communicators[0], threads, cpus[0]); });
  } catch (...) {
    error = std::current_exception();
  }
  for (std::thread& other : others) other.join();
  if (error) std::rethrow_exception(error);
  // A large all-reduce makes a rank take in 2 (n - 1) / n of its bytes (docs/communication.md).
  hardware.collective_bandwidth = times.bytes_per_second * 2 * (ranks - 1) / ranks;
  const double taken = static_cast<double>(kHidden) * sizeof(float) * (ranks - 1);
  hardware.collective_latency = std::max(kLeastLatency, times.latency - taken / hardware.collective_bandwidth);
}

}  // namespace

plan::Hardware measure_hardware(const MeasureOptions& options, const MeasureProgress& progress) {
  const Topology topology = detect_topology();
  const int total = static_cast<int>(kernels::measurable_types().size()) + 3;
  plan::Hardware hardware;
  hardware.cores = options.threads;
  const Cpus cpus = place_ranks(topology, 1, options.threads)[0];
  on_bound_thread(cpus, [&] { measure_cores(hardware, cpus, progress, total); });
  if (options.ranks > 1) {
    progress("exchanges", total - 1, total);
    measure_exchanges(hardware, options.ranks,
                      place_ranks(topology, options.ranks, std::max(1, options.threads / options.ranks)));
  }
  return hardware;
}

}  // namespace cleave::runtime
