#pragma once

#include <optional>
#include <string>

namespace cleave::app {

/// Why mpirun can start no process on a machine, and what to do about it, in one line; nothing where it can, as far as
/// this finds out, and for this machine itself. Looks there through `agent`, which mpirun uses: ssh, or what stands in
/// for it. `program`: what is to run there.
std::optional<std::string> why_unreachable(const std::string& host, const std::string& agent,
                                           const std::string& program);

}  // namespace cleave::app
