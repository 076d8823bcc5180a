#include "base/thread_pool.h"

#include <immintrin.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/start_thread.h"
#include "base/topology.h"

namespace cleave {
namespace {

// Turns of spinning after a job, about 50-100 us: longer than the gaps between the instructions of one step, shorter
// than a person notices.
constexpr int kSpins = 2000;

// Stands for "any CPU" in place of a number.
constexpr int kAnywhere = -1;

// Has workers see that there is nothing more to do, and waits for their end.
void end(std::vector<std::thread>& workers, std::atomic<bool>& stop, std::atomic<uint32_t>& generation) {
  stop.store(true, std::memory_order_relaxed);
  generation.fetch_add(1, std::memory_order_release);
  generation.notify_all();
  for (std::thread& worker : workers) worker.join();
}

}  // namespace

ThreadPool::ThreadPool(int num_threads, std::span<const int> cpus) {
  CHECK_GE(num_threads, 1);
  CHECK(cpus.empty() || static_cast<int>(cpus.size()) == num_threads);
  workers_.reserve(static_cast<size_t>(num_threads) - 1);
  for (int thread = 1; thread < num_threads; ++thread) {
    const int cpu = cpus.empty() ? kAnywhere : cpus[static_cast<size_t>(thread)];
    try {
      workers_.push_back(start_thread([this, thread, cpu] { work(thread, cpu); }));
    } catch (...) {
      end(workers_, stop_, generation_);
      throw;
    }
  }
}

ThreadPool::~ThreadPool() {
  end(workers_, stop_, generation_);
}

void ThreadPool::execute(int thread) noexcept {
  try {
    (*job_)(thread);
  } catch (...) {
    if (!error_set_.exchange(true)) error_ = std::current_exception();
  }
}

void ThreadPool::work(int thread, int cpu) {
  if (cpu != kAnywhere) pin_current_thread(cpu);
  uint32_t seen = 0;
  for (;;) {
    uint32_t now = generation_.load(std::memory_order_acquire);
    for (int spin = 0; now == seen && spin < kSpins; ++spin) {
      _mm_pause();
      now = generation_.load(std::memory_order_acquire);
    }
    if (now == seen) {
      generation_.wait(seen, std::memory_order_acquire);
      continue;
    }
    seen = now;
    if (stop_.load(std::memory_order_relaxed)) return;
    execute(thread);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

void ThreadPool::run(FunctionRef<void(int)> job) {
  if (workers_.empty()) {
    job(0);
    return;
  }
  job_ = &job;
  pending_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  execute(0);
  for (int spin = 0; pending_.load(std::memory_order_acquire) != 0; ++spin) {
    if (spin < kSpins)
      _mm_pause();
    else if (const int pending = pending_.load(std::memory_order_acquire); pending != 0)
      pending_.wait(pending, std::memory_order_acquire);
  }
  if (error_set_.load(std::memory_order_acquire)) {
    error_set_.store(false);
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
}

void ThreadPool::parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  CHECK_GE(grain, 1);
  if (count <= 0) return;
  const int64_t units = (count + grain - 1) / grain;
  if (units == 1 || workers_.empty()) {
    body(0, count);
    return;
  }
  const int64_t threads = size();
  run([&](int thread) {
    const int64_t begin = units * thread / threads * grain;
    const int64_t end = std::min(count, units * (thread + 1) / threads * grain);
    if (begin < end) body(begin, end);
  });
}

}  // namespace cleave
