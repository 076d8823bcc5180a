#include "base/worker_ids.h"

#include <unistd.h>

namespace cleave {

std::vector<pid_t> worker_ids(ThreadPool& pool) {
  std::vector<pid_t> ids(static_cast<size_t>(pool.size()) - 1);
  pool.run([&](int thread) {
    if (thread > 0) ids[static_cast<size_t>(thread) - 1] = gettid();
  });
  return ids;
}

}  // namespace cleave
