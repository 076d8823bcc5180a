#include "base/memory.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

#include "base/control_groups.h"

namespace cleave {
namespace {

namespace fs = std::filesystem;

// The number in the line that begins with `key`; 0 where there is none.
int64_t entry_of(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return leading_number(std::string_view(line).substr(key.size())).value_or(0);
  return 0;
}

// The names of the files of one version of control groups.
struct GroupFiles {
  std::string_view limit, used, inactive, active;
};
constexpr GroupFiles kVersion1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ",
                                  "total_active_file "};
constexpr GroupFiles kVersion2 = {"memory.max", "memory.current", "inactive_file ", "active_file "};

constexpr int64_t kNoLimit = int64_t{1} << 60;  // version 1 writes a huge number for no limit

// What a group leaves; nothing where it has no limit.
std::optional<int64_t> left_in(const ControlGroup& group) {
  const GroupFiles& files = group.version == 2 ? kVersion2 : kVersion1;
  const auto limit = read_number(group.folder / files.limit), used = read_number(group.folder / files.used);
  if (!limit || !used || *limit >= kNoLimit) return std::nullopt;
  const fs::path details = group.folder / "memory.stat";
  const int64_t files_only = entry_of(details, files.inactive) + entry_of(details, files.active);
  return std::max<int64_t>(0, *limit - *used + files_only);
}

std::optional<int64_t> left_by_groups(const fs::path& root) {
  std::optional<int64_t> least;
  for (const ControlGroup& group : control_groups("memory", root))
    if (const auto left = left_in(group)) least = std::min(least.value_or(*left), *left);
  return least;
}

}  // namespace

std::optional<int64_t> available_memory(const fs::path& root) {
  const fs::path info = root / "proc/meminfo";
  const int64_t available = entry_of(info, "MemAvailable:"), swap = entry_of(info, "SwapFree:");
  const std::optional<int64_t> left = left_by_groups(root);
  if (available == 0) return left;
  return std::min((available + swap) * 1024, left.value_or(INT64_MAX));
}

}  // namespace cleave
