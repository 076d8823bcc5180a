// mpi_faults WHAT LOCAL_RANKS DIRECTORY: ranks that work, or fail, in one way until somebody kills them. Every process
// says "ready PROCESS PID" once all are there. On a failure it writes the text to DIRECTORY/PROCESS and exits: mpirun
// drops output of processes that end while it ends the job.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "base/error.h"
#include "comm/mpi/mpi_world.h"

namespace cleave::comm {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using Clock = std::chrono::steady_clock;

constexpr auto kLong = 60s;  // longer than any test waits

void compute_for(std::chrono::seconds duration) {
  const auto end = Clock::now() + duration;
  while (Clock::now() < end) {
  }
}

void sum_for(Communicator& communicator, std::chrono::seconds duration) {
  const auto end = Clock::now() + duration;
  float x[64] = {};
  while (Clock::now() < end) communicator.all_reduce(x, 64, DType::F32);
}

// The last rank does it to the others.
bool is_culprit(const Communicator& communicator) {
  return communicator.rank() == communicator.size() - 1;
}

void wait_for_next_step(Communicator& communicator) {
  char step = 0;
  if (communicator.rank() == 0) std::this_thread::sleep_for(kLong);  // rank 0 waits for its user
  communicator.broadcast(&step, 1, 0);
}

const std::map<std::string, std::function<void(Communicator&)>> kBehaviours = {
    {"sum", [](Communicator& c) { sum_for(c, kLong); }},
    {"compute", [](Communicator&) { compute_for(kLong); }},
    {"idle", wait_for_next_step},
    {"abort",
     [](Communicator& c) {
       if (is_culprit(c)) fail(ErrorKind::Io, "disk full");
       sum_for(c, kLong);
     }},
    {"stall",
     [](Communicator& c) {
       if (is_culprit(c)) std::this_thread::sleep_for(kLong);
       sum_for(c, kLong);
     }},
    // Odd and even ranks are groups of their own; a rank of the other group goes on in the process that fails.
    {"part-stall",
     [](Communicator& c) {
       const auto part = c.split(c.rank() % 2);
       if (is_culprit(c)) std::this_thread::sleep_for(kLong);
       sum_for(*part, kLong);
     }},
    {"part-abort",
     [](Communicator& c) {
       const auto part = c.split(c.rank() % 2);
       if (is_culprit(c)) part->abort("disk full");
       sum_for(*part, kLong);
     }},
    // Not failures: both last longer than the time limit of 3 s.
    {"slow",
     [](Communicator& c) {
       if (is_culprit(c)) compute_for(5s);
       c.barrier();
     }},
    {"think",
     [](Communicator& c) {
       char step = 0;
       if (c.rank() == 0) std::this_thread::sleep_for(5s);
       c.broadcast(&step, 1, 0);
     }},
};

void work(const World& world, std::unique_ptr<Communicator> communicator, const std::string& what, bool is_leader) {
  communicator->barrier();
  if (is_leader) {
    std::printf("ready %d %d\n", world.process(), getpid());
    std::fflush(stdout);
  }
  communicator->barrier();  // nobody fails before everybody has said it
  try {
    kBehaviours.at(what)(*communicator);
  } catch (const Error& error) {
    communicator->abort(error.what());
  }
}

int run(const std::string& what, int local_ranks, const std::filesystem::path& directory) {
  int process = -1;
  MpiOptions options;
  options.local_ranks = local_ranks;
  options.on_failure = [&](const std::string& text) {
    std::ofstream(directory / std::to_string(process)) << text;
    std::_Exit(1);
  };
  const std::unique_ptr<World> world = mpi_world(options);
  process = world->process();
  std::vector<std::thread> threads;
  for (auto& communicator : world->communicators()) {
    const bool is_leader = threads.empty();
    threads.emplace_back(
        [&, is_leader, c = std::move(communicator)]() mutable { work(*world, std::move(c), what, is_leader); });
  }
  for (std::thread& thread : threads) thread.join();
  world->finish();
  return 0;
}

}  // namespace
}  // namespace cleave::comm

int main(int argc, char** argv) {
  std::signal(SIGTERM, SIG_IGN);
  try {
    return cleave::comm::run(argv[1], std::atoi(argv[2]), argv[3]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
