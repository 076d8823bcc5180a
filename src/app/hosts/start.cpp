#include "app/hosts/start.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "app/hosts/child_process.h"
#include "app/hosts/mpirun.h"
#include "app/hosts/reachable.h"
#include "app/hosts/started_by_mpi.h"
#include "app/terminal/interrupt.h"
#include "app/terminal/rank_stream.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "comm/mpi/mpi_world.h"

namespace cleave::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kFailed = 1;
constexpr std::chrono::milliseconds kLookInterval{200};

// mpirun ends its processes two seconds after a Ctrl-C in its terminal; one that has not by then has not seen it.
constexpr std::chrono::seconds kInterruptLimit{3};

// What the ranks are told of this program's streams.
std::string streams() {
  std::string words;
  const auto add = [&words](bool is_so, std::string_view word) {
    if (is_so) words += fmt::format("{}{}", words.empty() ? "" : ",", word);
  };
  add(input_is_terminal(), kInputIsTerminal);
  add(Output().is_terminal(), kOutputIsTerminal);
  add(notes_follow_output(), kErrorsFollowOutput);
  return words;
}

// Through what mpirun reaches other machines.
std::string agent() {
  const char* own = std::getenv("OMPI_MCA_plm_rsh_agent");
  return own != nullptr ? own : "ssh";
}

ChildProcess start(const std::vector<std::string>& command) {
  try {
    return ChildProcess(command);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound) throw;
    fail(ErrorKind::NotFound,
         "--hosts starts processes through mpirun, which is not in the PATH: install Open MPI (Debian: openmpi-bin)");
  }
}

// Passes on what the ranks say until all have ended; after a Ctrl-C they only say that others are gone.
void pass_on(ChildProcess& mpirun, RankStream& stream, const Interrupt& interrupt) {
  std::optional<Clock::time_point> interrupted_at;
  while (const auto bytes = mpirun.read_errors(kLookInterval)) {
    const std::string shown = stream.take(*bytes);
    if (!interrupt.requested()) {
      if (!shown.empty()) show(shown);
      continue;
    }
    const auto now = Clock::now();
    if (!interrupted_at) interrupted_at = now;
    if (now - *interrupted_at < kInterruptLimit) continue;
    mpirun.terminate();
    interrupted_at = now;
  }
}

// Why mpirun has failed although no rank has said anything.
std::string reason(const std::vector<Host>& hosts, const std::string& program, const RankStream& stream, int code) {
  int processes = 0;
  for (const Host& host : hosts) processes += host.processes;
  if (stream.num_begun() < processes)
    for (const Host& host : hosts)
      if (const auto why = why_unreachable(host.name, agent(), program)) return *why;
  const std::string words = stream.other_words();
  return words.empty() ? fmt::format("mpirun has ended with code {}", code)
                       : fmt::format("mpirun has ended with code {}: {}", code, words);
}

}  // namespace

int run_on_hosts(const std::vector<Host>& hosts, const std::vector<std::string>& arguments) {
  if (started_by_mpi())
    fail(ErrorKind::InvalidArgument,
         "mpirun has started this process, and --hosts would do it again: leave one of the two out");
  if (!comm::has_mpi())
    fail(ErrorKind::Unsupported, "--hosts needs MPI, and the program is built without: build it with CLEAVE_MPI=ON");
  RemoteProgram program = {.path = std::filesystem::read_symlink("/proc/self/exe"),
                           .arguments = arguments,
                           .variables = forwarded_variables(environ),
                           .as_root = geteuid() == 0,
                           .limits_ssh = agent() == "ssh" && std::getenv("OMPI_MCA_plm_rsh_args") == nullptr};
  program.variables.push_back(fmt::format("{}={}", kStreamsVariable, streams()));
  const Interrupt interrupt;
  RankStream stream;
  ChildProcess mpirun = start(mpirun_command(hosts, program));
  pass_on(mpirun, stream, interrupt);
  const int code = mpirun.wait();
  if (interrupt.requested()) return kInterruptedExit;
  if (code == 0 || stream.has_error() || stream.any_has_ended()) return code;
  print_error(reason(hosts, program.path, stream, code));
  return kFailed;
}

}  // namespace cleave::app
