#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

namespace cleave {

/// A non-owning reference to a callable; as cheap to pass as two pointers. The callable outlives the reference.
template <class Signature>
class FunctionRef;
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>>>
  FunctionRef(F&& f)  // a reference is meant to bind implicitly
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

/// A fixed group of threads that run one function together, again and again: the unit that a rank computes with.
///
/// run() costs about a microsecond and neither allocates nor locks while the workers are awake: they spin for a short
/// while after each job and sleep only when none follows. The caller works as thread 0. run() is called by one thread
/// at a time and never from inside a job.
class ThreadPool {
 public:
  /// REQUIRES: num_threads >= 1. Starts num_threads - 1 workers.
  explicit ThreadPool(int num_threads) : ThreadPool(num_threads, {}) {}
  /// The same with worker t bound to cpus[t] (base/topology.h), for t >= 1; the caller binds itself where it wants to
  /// be thread 0. Where the system refuses, or `cpus` is empty, workers run anywhere. REQUIRES: cpus is empty or has
  /// num_threads elements.
  ThreadPool(int num_threads, std::span<const int> cpus);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls job(thread) once for every thread in [0, size()) and returns when all have returned. The first exception
  /// that a job throws is thrown again here.
  void run(FunctionRef<void(int)> job);

  /// Splits [0, count) into one contiguous range per thread, as even as multiples of `grain` allow, and calls
  /// body(begin, end) for each that is not empty. A count of at most `grain` runs on the caller alone.
  void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body);

 private:
  void work(int thread, int cpu);
  void execute(int thread) noexcept;

  std::vector<std::thread> workers_;
  const FunctionRef<void(int)>* job_ = nullptr;
  std::exception_ptr error_;  // written by the first failing job (error_set_ decides which)
  std::atomic<bool> error_set_{false};
  std::atomic<bool> stop_{false};
  alignas(64) std::atomic<uint32_t> generation_{0};  // counts jobs; a worker starts when it changes
  alignas(64) std::atomic<int> pending_{0};          // workers that have not finished the current job
};

}  // namespace cleave
