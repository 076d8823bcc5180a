#pragma once

#include <sched.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace cleave {

/// Fills the affinity mask of the process and gives 0, or -1 and errno; a parameter so that tests can be a large
/// machine.
using ReadAffinityMask = std::function<int(size_t bytes, cpu_set_t* mask)>;

/// The CPUs that the process may run on, as the system numbers them, in ascending order: for binding threads. However
/// many CPUs the machine has. Throws Error(Io) where the system does not tell.
std::vector<int> allowed_cpus(const ReadAffinityMask& read);
std::vector<int> allowed_cpus();

/// Frees what CPU_ALLOC gave.
struct FreeMask {
  void operator()(cpu_set_t* mask) const { CPU_FREE(mask); }
};

/// How many CPUs' time the control groups of the process allow it: 1.5 for 150 ms in every 100 ms. Nothing where there
/// is no limit. `root`: of the file system.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// How many threads of the process can compute all the time: as many as it has CPUs, or as many whole CPUs as its quota
/// holds, at least 1. A quota of 1.5 gives 1: two threads that wait for each other would use it up in three quarters of
/// each period, and stand still for the rest. Throws as allowed_cpus() does.
int usable_cpus(const std::filesystem::path& root = "/");

}  // namespace cleave
