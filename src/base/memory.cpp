#include "base/memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace cleave {
namespace {

namespace fs = std::filesystem;

// The number at the beginning of a text, blanks skipped; nothing where there is none ("max").
std::optional<int64_t> number_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<int64_t> read_number(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) ? number_of(line) : std::nullopt;
}

// The number in the line that begins with `key`; 0 where there is none.
int64_t entry_of(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return number_of(std::string_view(line).substr(key.size())).value_or(0);
  return 0;
}

// What the files of one version of control groups are called.
struct GroupFiles {
  std::string_view limit, used, inactive, active;
};
constexpr GroupFiles kVersion1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ",
                                  "total_active_file "};
constexpr GroupFiles kVersion2 = {"memory.max", "memory.current", "inactive_file ", "active_file "};

constexpr int64_t kNoLimit = int64_t{1} << 60;  // version 1 writes a huge number where there is none

// What the group in `top / group` and those around it leave. A container may see its own group as the top.
std::optional<int64_t> left_in(const fs::path& top, fs::path group, const GroupFiles& files) {
  std::optional<int64_t> least;
  for (;; group = group.parent_path()) {
    const fs::path folder = top / group;
    const auto limit = read_number(folder / files.limit), used = read_number(folder / files.used);
    if (limit && used && *limit < kNoLimit) {
      const fs::path details = folder / "memory.stat";
      const int64_t files_only = entry_of(details, files.inactive) + entry_of(details, files.active);
      const int64_t left = std::max<int64_t>(0, *limit - *used + files_only);
      least = std::min(least.value_or(left), left);
    }
    if (group.empty()) return least;
  }
}

std::optional<int64_t> left_by_groups(const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  std::optional<int64_t> least;
  for (std::string line; std::getline(file, line);) {  // "0::/path" or "4:memory:/path"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const fs::path group = fs::path(line.substr(second + 1)).relative_path();
    std::optional<int64_t> left;
    if (controllers == ",,") left = left_in(root / "sys/fs/cgroup", group, kVersion2);
    if (controllers.find(",memory,") != std::string::npos)
      left = left_in(root / "sys/fs/cgroup/memory", group, kVersion1);
    if (left) least = std::min(least.value_or(*left), *left);
  }
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
