// Time of an all-reduce over two ranks, in one run: threads of one process, our collectives between two processes, and
// MPI_Allreduce between the same two. Start it with `mpirun -np 2 --bind-to none collectives_bench`
// (bound, a process has one core for both of its threads). A row gives the smallest and the
// median time of a call in microseconds over all samples; samples of the three kinds take turns, so that whatever else
// runs on the machine disturbs all of them.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "base/topology.h"
#include "comm/communicator.h"
#include "comm/mpi/mpi_world.h"

namespace cleave::comm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRanks = 2;
constexpr int kRounds = 15;
constexpr int kSamplesPerRound = 11;
constexpr int64_t kBytesPerSample = int64_t{4} << 20;  // so that a sample is much longer than the clock's resolution
constexpr int64_t kSizes[] = {4, 256, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20};

int calls_per_sample(int64_t bytes) {
  return static_cast<int>(std::clamp<int64_t>(kBytesPerSample / bytes, 2, 200));
}

struct Samples {
  std::vector<double> seconds;
  double smallest() const { return *std::ranges::min_element(seconds); }
  double median() const {
    std::vector<double> sorted = seconds;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
};

// Measures one round of `call` on one of the two ranks; both do the same.
void sample(Communicator& communicator, int64_t bytes, FunctionRef<void()> call, Samples& samples) {
  const int calls = calls_per_sample(bytes);
  for (int i = 0; i <= kSamplesPerRound; ++i) {
    communicator.barrier();
    const auto begin = Clock::now();
    for (int repeat = 0; repeat < calls; ++repeat) call();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (i > 0) samples.seconds.push_back(seconds / calls);
  }
}

void sample_communicator(Communicator& communicator, int64_t bytes, Samples& samples) {
  std::vector<float> data(static_cast<size_t>(bytes) / sizeof(float));
  const auto count = static_cast<int64_t>(data.size());
  sample(
      communicator, bytes, [&] { communicator.all_reduce(data.data(), count, DType::F32); }, samples);
}

void sample_mpi(Communicator& communicator, int64_t bytes, Samples& samples) {
  std::vector<float> data(static_cast<size_t>(bytes) / sizeof(float));
  const auto count = static_cast<int>(data.size());
  const auto call = [&] { MPI_Allreduce(MPI_IN_PLACE, data.data(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD); };
  sample(communicator, bytes, call, samples);
}

// Two threads of process 0 while process 1 sleeps in a barrier.
void sample_threads(int64_t bytes, Samples& samples) {
  const auto cpus = place_ranks(detect_topology(), kRanks, 1);
  auto ranks = thread_communicators(kRanks);
  Samples of_other;
  std::thread other([&] {
    if (!cpus[1].empty()) pin_current_thread(cpus[1][0]);
    sample_communicator(*ranks[1], bytes, of_other);
  });
  std::thread first([&] {
    if (!cpus[0].empty()) pin_current_thread(cpus[0][0]);
    sample_communicator(*ranks[0], bytes, samples);
  });
  first.join();
  other.join();
}

void run() {
  const std::unique_ptr<World> world = mpi_world({});
  if (world->num_processes() != kRanks)
    fail(ErrorKind::InvalidArgument, "{} processes, wanted 2: mpirun -np 2 --bind-to none collectives_bench",
         world->num_processes());
  auto communicator = std::move(world->communicators()[0]);
  const bool prints = world->process() == 0;
  if (prints)
    fmt::print("{:>8} | {:>20} | {:>20} | {:>20} | {}\n", "bytes", "threads min, median", "our mpi min, median",
               "MPI_Allreduce", "medians: MPI_Allreduce / threads, / our mpi");
  for (const int64_t bytes : kSizes) {
    Samples threads, processes, mpi;
    for (int round = 0; round < kRounds; ++round) {
      if (prints) sample_threads(bytes, threads);
      communicator->barrier();
      sample_communicator(*communicator, bytes, processes);
      sample_mpi(*communicator, bytes, mpi);
    }
    if (!prints) continue;
    const auto column = [](const Samples& s) {
      return fmt::format("{:9.2f} {:9.2f}", s.smallest() * 1e6, s.median() * 1e6);
    };
    fmt::print("{:>8} | {:>20} | {:>20} | {:>20} | {:6.1f} {:6.1f}\n", bytes, column(threads), column(processes),
               column(mpi), mpi.median() / threads.median(), mpi.median() / processes.median());
  }
  communicator.reset();
  world->finish();
}

}  // namespace
}  // namespace cleave::comm

int main() {
  try {
    cleave::comm::run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
