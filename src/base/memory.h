#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace cleave {

/// Bytes of memory that this process can still take before the system runs out and ends a process. The lesser of two
/// numbers: the available memory of /proc/meminfo with the free swap space, and what the limits of the process's
/// control groups leave (versions 1 and 2, see cgroups(7)). Pages that only cache files count as available. Nothing if
/// the system does not say. `root` is the root of the file system, which tests replace.
std::optional<int64_t> available_memory(const std::filesystem::path& root = "/");

}  // namespace cleave
