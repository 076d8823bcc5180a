#pragma once

#include <sys/types.h>

#include <vector>

#include "base/thread_pool.h"

namespace cleave {

/// The system's numbers (gettid) of a pool's threads but the caller's: pool.size() - 1 of them. Runs a job on the pool.
std::vector<pid_t> worker_ids(ThreadPool& pool);

}  // namespace cleave
