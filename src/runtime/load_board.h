#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.h"
#include "runtime/model_source.h"
#include "runtime/shared_progress.h"

namespace cleave::runtime {

/// The load of one model by the ranks of one process.
struct LoadJob {
  const ModelSource* source = nullptr;  // null where this process could not make it
  std::optional<Error> error = {};      // why not
  SharedProgress* progress = nullptr;
};

/// Where the first rank of a process hands jobs to its other ranks, which run on threads of their own, and waits until
/// they have let go of them: a job borrows from its maker. Thread-safe.
class LoadBoard {
 public:
  /// `ranks` of the process, the first included.
  explicit LoadBoard(size_t ranks) : left_(ranks) {}

  /// By the first rank: the job may be taken now, until await_others() has returned.
  void post(LoadJob& job);
  /// By the first rank: returns when every other rank has left the job or ended.
  void await_others();
  /// By the first rank: there will be no more jobs.
  void close();

  /// By another rank: the job that it has not left yet; calls `tick` every now and then while there is none. Throws
  /// Error(Comm) where none will come.
  LoadJob& await(size_t rank, const std::function<void()>& tick);
  /// By another rank: it has let go of the job.
  void leave(size_t rank);
  /// By another rank: it will take no more jobs.
  void end(size_t rank);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  LoadJob* job_ = nullptr;
  uint64_t posted_ = 0;         // number of jobs so far
  std::vector<uint64_t> left_;  // by rank: number of jobs that it has left
  bool closed_ = false;
};

}  // namespace cleave::runtime
