#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/hosts/host_list.h"

namespace cleave::app {

/// Runs this program with these arguments (its name not among them) as processes on several machines, through mpirun,
/// and waits for them. What they say is passed on, an error once. Ctrl-C ends them all. Gives their exit code. Throws
/// Error where there is no mpirun, or mpirun has started this process.
int run_on_hosts(const std::vector<Host>& hosts, const std::vector<std::string>& arguments);

}  // namespace cleave::app
