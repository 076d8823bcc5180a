#include "base/control_groups.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

#include "base/strings.h"

namespace cleave {
namespace {

namespace fs = std::filesystem;

// Where a tree of groups, or a part of it, can be seen.
struct Mount {
  std::string top;  // the part: path of its topmost group in the tree; "/" for all of it
  fs::path folder;  // where that group is in the file system
};

bool lists(std::string_view names, std::string_view name) {
  const std::vector<std::string> all = split(names, ',');
  return std::ranges::find(all, name) != all.end();
}

// A field of mountinfo, in which blanks are written as octal numbers: "\040".
std::string unescaped(std::string_view field) {
  std::string text;
  for (size_t i = 0; i < field.size(); ++i) {
    int code = 0;
    const char* digits = field.data() + i + 1;
    if (field[i] == '\\' && i + 3 < field.size() && std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
      text += static_cast<char>(code);
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

// The mount that a line of /proc/self/mountinfo describes, if its tree is that of `controller` in `version`. The line
// is "31 23 0:28 TOP FOLDER rw,relatime OPTIONAL... - TYPE SOURCE OPTIONS" (proc(5)).
std::optional<Mount> mount_in(const std::string& line, std::string_view controller, int version) {
  const size_t dash = line.find(" - ");
  if (dash == std::string::npos) return std::nullopt;
  const std::vector<std::string> before = split(line.substr(0, dash), ' '), after = split(line.substr(dash + 3), ' ');
  if (before.size() < 5 || after.size() < 3) return std::nullopt;
  const bool fits = version == 2 ? after[0] == "cgroup2" : after[0] == "cgroup" && lists(after[2], controller);
  if (!fits) return std::nullopt;
  return Mount{unescaped(before[3]), fs::path(unescaped(before[4])).relative_path()};
}

Mount mount_of(std::string_view controller, int version, const fs::path& root) {
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);)
    if (const auto mount = mount_in(line, controller, version)) return *mount;
  const fs::path usual = "sys/fs/cgroup";
  return {"/", version == 2 ? usual : usual / controller};
}

// Path of a group below the topmost one that can be seen. A group outside that part of the tree is taken for its top:
// a container's own group is often called by a name that only the machine around it knows.
fs::path below_top(const fs::path& group, const fs::path& top) {
  const fs::path below = group.lexically_relative(top);
  const bool outside = below.empty() || below == "." || *below.begin() == "..";
  return outside ? fs::path() : below;
}

}  // namespace

std::vector<ControlGroup> control_groups(std::string_view controller, const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  std::vector<ControlGroup> groups;
  for (std::string line; std::getline(file, line);) {  // "0::/path" (version 2) or "4:cpu,cpuacct:/path"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !lists(controllers, controller)) continue;
    const int version = controllers.empty() ? 2 : 1;
    const Mount mount = mount_of(controller, version, root);
    for (fs::path group = below_top(line.substr(second + 1), mount.top);; group = group.parent_path()) {
      groups.push_back({root / mount.folder / group, version});
      if (group.empty()) break;
    }
  }
  return groups;
}

std::optional<int64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<int64_t> read_number(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) ? leading_number(line) : std::nullopt;
}

}  // namespace cleave
