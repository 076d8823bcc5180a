#pragma once

#include <functional>
#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "inference/group.h"
#include "inference/loaded.h"
#include "inference/log.h"
#include "inference/opened.h"

namespace cleave::app {

/// Lines on standard error, as "cleave: warning: ...".
Log log_to_terminal();

/// The ranks of this process as flags have them; with those of the other processes where mpirun has started it. What
/// fails in the group ends the process, with the failure printed.
inference::GroupOptions group_options(const ModelFlags& flags, int ranks);
/// The same for ranks of this process alone.
inference::GroupOptions local_group_options(const ModelFlags& flags, int ranks);

/// inference::open() and inference::load() with what flags, environment and files say, notes on standard error, and a
/// progress bar. Throws Error; CLI::ValidationError where --rank-weights does not fit the number of ranks.
inference::OpenedModel open_model(const ModelFlags& flags);
inference::LoadedModel load_model(const inference::OpenedModel& opened, const ModelFlags& flags, runtime::Options sizes,
                                  inference::Group& group);

/// Runs `lead` in the process that has rank 0; it has let go of all ranks when it returns. The other processes take
/// their part of the model that it loads and compute with it until it is done. Gives the exit code.
/// Where something fails in the group while it works, `on_failure` hears of it before the process ends.
int with_group(const ModelFlags& flags, int ranks, const std::function<int(inference::Group&)>& lead,
               const std::function<void(const std::string&)>& on_failure = {});

/// Makes `lead`, in a group of as many ranks as --tp says, what `command` does. Flags have a member `model`.
template <class Flags>
void act_in_group(CLI::App& command, Action& action, const std::shared_ptr<Flags>& flags,
                  int (*lead)(const Flags&, inference::Group&)) {
  command.callback([flags, lead, &action] {
    action = [flags, lead] {
      return with_group(flags->model, flags->model.split.tp,
                        [&](inference::Group& group) { return lead(*flags, group); });
    };
  });
}

}  // namespace cleave::app
