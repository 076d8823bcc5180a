#pragma once

#include <string>
#include <vector>

#include "app/hosts/host_list.h"

namespace cleave::app {

/// A program, and how it is to be started on several machines.
struct RemoteProgram {
  std::string path;                    // the same on every machine
  std::vector<std::string> arguments;  // without its name
  std::vector<std::string> variables;  // of the environment, that every process gets: "NAME", or "NAME=value"
  bool as_root = false;
  bool limits_ssh = false;  // how long ssh waits for other machines: not where the user has chosen agent or flags
};

/// The command, program first, by which Open MPI's mpirun starts the processes: in the order of the hosts, as many on
/// each as it says, none bound to a core, because a process's ranks place their own threads.
std::vector<std::string> mpirun_command(const std::vector<Host>& hosts, const RemoteProgram& program);

/// Names of the variables that processes on all machines should see: DeepSpeed's and Cleave's own. `environment` is
/// "NAME=value" strings, null at the end, as in environ(7).
std::vector<std::string> forwarded_variables(const char* const* environment);

}  // namespace cleave::app
