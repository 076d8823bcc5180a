#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

/// Linux's control groups, by which containers limit their processes: cgroups(7).
namespace cleave {

/// A control group as the folder of files that describes it. Version 1 has a tree of groups for each controller,
/// version 2 one tree for all.
struct ControlGroup {
  std::filesystem::path folder;
  int version = 2;
};

/// The groups that may limit what `controller` ("cpu", "memory") gives this process: each group that it is in and those
/// around it, the innermost of each tree first. Empty where the system has none or does not say. A folder is named even
/// where this process does not see it, as in a container. Where nothing says what is mounted, the usual places count:
/// /sys/fs/cgroup, and for version 1 a folder in it that is called like the controller. `root`: of the file system.
std::vector<ControlGroup> control_groups(std::string_view controller, const std::filesystem::path& root);

/// The number that a text begins with, after blanks; nothing where it begins with something else ("max").
std::optional<int64_t> leading_number(std::string_view text);

/// The number that a file's first line begins with; nothing where there is no such file.
std::optional<int64_t> read_number(const std::filesystem::path& path);

}  // namespace cleave
