#include "base/cpus.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include "base/control_groups.h"
#include "base/error.h"

namespace cleave {
namespace {

namespace fs = std::filesystem;

// Where the search for a mask that is long enough ends: far more CPUs than any machine has.
constexpr int kMostCpus = 1 << 20;

// How much of a CPU a group may use, over 1 where it is several.
std::optional<double> quota_of(const ControlGroup& group) {
  std::optional<int64_t> time, period;  // in microseconds; a negative time or the word "max" is no limit
  if (group.version == 2) {
    std::ifstream file(group.folder / "cpu.max");
    std::string first, second;
    if (!(file >> first >> second)) return std::nullopt;
    time = leading_number(first);
    period = leading_number(second);
  } else {
    time = read_number(group.folder / "cpu.cfs_quota_us");
    period = read_number(group.folder / "cpu.cfs_period_us");
  }
  if (!time || !period || *time <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*time) / static_cast<double>(*period);
}

}  // namespace

// The kernel refuses masks that are shorter than its own, which can be longer than the 1,024 bits of a cpu_set_t.
std::vector<int> allowed_cpus(const ReadAffinityMask& read) {
  for (int num_cpus = CPU_SETSIZE; num_cpus <= kMostCpus; num_cpus *= 4) {
    const auto count = static_cast<size_t>(num_cpus);
    const std::unique_ptr<cpu_set_t, FreeMask> mask(CPU_ALLOC(count));
    if (mask == nullptr) break;
    if (read(CPU_ALLOC_SIZE(count), mask.get()) != 0) {
      if (errno == EINVAL) continue;
      break;
    }
    std::vector<int> cpus;
    for (int cpu = 0; cpu < num_cpus; ++cpu)
      if (CPU_ISSET_S(static_cast<size_t>(cpu), CPU_ALLOC_SIZE(count), mask.get())) cpus.push_back(cpu);
    return cpus;
  }
  fail(ErrorKind::Io, "cannot read the affinity mask of the process: {}", std::strerror(errno));
}

std::vector<int> allowed_cpus() {
  return allowed_cpus([](size_t bytes, cpu_set_t* mask) { return sched_getaffinity(0, bytes, mask); });
}

std::optional<double> cpu_quota(const fs::path& root) {
  std::optional<double> least;
  for (const ControlGroup& group : control_groups("cpu", root))
    if (const auto quota = quota_of(group)) least = std::min(least.value_or(*quota), *quota);
  return least;
}

int usable_cpus(const fs::path& root) {
  const auto cpus = static_cast<int>(allowed_cpus().size());
  const std::optional<double> quota = cpu_quota(root);
  if (!quota || *quota >= cpus) return cpus;
  return std::max(1, static_cast<int>(*quota));
}

}  // namespace cleave
