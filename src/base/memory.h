#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace cleave {

/// Bytes of memory that this process can have before the system ends one: what /proc/meminfo calls available, with free
/// swap space, or what is left of the limits of its control groups (versions 1 and 2; see cgroups(7)), whichever is
/// less. Pages that only hold parts of files count as available. Nothing where the system does not say. `root`: of the
/// file system.
std::optional<int64_t> available_memory(const std::filesystem::path& root = "/");

}  // namespace cleave
