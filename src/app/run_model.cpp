#include "app/run_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "app/hosts/started_by_mpi.h"
#include "app/terminal/terminal.h"
#include "comm/world.h"
#include "inference/follower.h"

namespace cleave::app {
namespace {

std::string_view prefix(LogLevel level) {
  switch (level) {
    case LogLevel::Info:
      return "";
    case LogLevel::Note:
      return "note: ";
    case LogLevel::Warning:
      break;
  }
  return "warning: ";
}

// The first failure of the group, whoever finds it: mpirun ends this process soon, whatever it is doing.
void exit_on_failure(const std::string& text) {
  print_error(text);
  std::_Exit(1);
}

}  // namespace

Log log_to_terminal() {
  return [](LogLevel level, std::string_view line) { note(fmt::format("cleave: {}{}", prefix(level), line)); };
}

inference::GroupOptions group_options(const ModelFlags& flags, int ranks) {
  inference::GroupOptions options = local_group_options(flags, ranks);
  options.mpi = started_by_mpi();
  options.on_failure = exit_on_failure;
  return options;
}

inference::GroupOptions local_group_options(const ModelFlags& flags, int ranks) {
  const int shared = flags.threads ? std::max(1, *flags.threads / ranks) : comm::kShareOfCpus;
  return {.ranks = ranks, .threads_per_rank = flags.split.threads_per_rank.value_or(shared), .pin = flags.split.pin};
}

inference::OpenedModel open_model(const ModelFlags& flags) {
  return inference::open(flags.model, log_to_terminal());
}

inference::LoadedModel load_model(const inference::OpenedModel& opened, const ModelFlags& flags, runtime::Options sizes,
                                  inference::Group& group) {
  ProgressBar bar("loading");
  return inference::load(opened, flags.numbers, split_options(flags.split, group.num_ranks()), sizes, group,
                         log_to_terminal(), [&](int64_t done, int64_t total) { bar.update(done, total); });
}

int with_group(const ModelFlags& flags, int ranks, const std::function<int(inference::Group&)>& lead,
               const std::function<void(const std::string&)>& on_failure) {
  inference::GroupOptions options = group_options(flags, ranks);
  if (on_failure)
    options.on_failure = [on_failure](const std::string& text) {
      print_error(text);
      on_failure(text);
      std::_Exit(1);
    };
  if (options.mpi) std::signal(SIGTERM, SIG_IGN);  // mpirun sends it when another process has died: time to say which
  inference::Group group(options);
  int code = 0;
  try {
    if (group.leads())
      code = lead(group);
    else
      inference::follow(flags.model.path, group);
  } catch (const std::exception& error) {
    group.abort(error.what());
    throw;
  }
  group.finish();
  return code;
}

}  // namespace cleave::app
