#include "app/hosts/mpirun.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/strings.h"

namespace cleave::app {

std::vector<std::string> mpirun_command(const std::vector<Host>& hosts, const RemoteProgram& program) {
  std::vector<std::string> slots;
  int processes = 0;
  for (const Host& host : hosts) {
    slots.push_back(fmt::format("{}:{}", host.name, host.processes));
    processes += host.processes;
  }
  std::vector<std::string> command = {"mpirun", "--host", join(slots, ","), "-np", std::to_string(processes),
                                      "--map-by", "slot", "--bind-to", "none",
                                      // Without it a name such as node1.cluster is cut at its first dot.
                                      "--mca", "orte_keep_fqdn_hostnames", "1"};
  if (program.as_root) command.emplace_back("--allow-run-as-root");  // mpirun refuses otherwise
  // Without it a machine that does not answer is waited for until TCP gives up, about two minutes.
  if (program.limits_ssh) command.insert(command.end(), {"--mca", "plm_rsh_args", "-o ConnectTimeout=10"});
  for (const std::string& variable : program.variables) command.insert(command.end(), {"-x", variable});
  command.push_back(program.path);
  command.insert(command.end(), program.arguments.begin(), program.arguments.end());
  return command;
}

std::vector<std::string> forwarded_variables(const char* const* environment) {
  std::vector<std::string> names;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    if (entry.starts_with("DS_") || entry.starts_with("CLEAVE_")) names.emplace_back(entry.substr(0, entry.find('=')));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace cleave::app
