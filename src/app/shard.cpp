#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "app/run_model.h"
#include "app/terminal/terminal.h"
#include "inference/packed_model.h"

namespace cleave::app {
namespace {

struct ShardFlags {
  ModelFlags model;
  std::filesystem::path output;
};

int shard(const ShardFlags& flags, inference::Group& group) {
  const inference::OpenedModel opened = open_model(flags.model);
  {
    ProgressBar bar("packing");
    inference::write_packed_model(opened, flags.model.numbers, split_options(flags.model.split, group.num_ranks()),
                                  group, flags.output, log_to_terminal(),
                                  [&](int64_t done, int64_t total) { bar.update(done, total); });
  }
  note(fmt::format("packed for {} rank{} into {}; run it with the same --tp", group.num_ranks(),
                   group.num_ranks() == 1 ? "" : "s", flags.output.string()));
  return 0;
}

}  // namespace

void add_shard(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("shard", "split a model once and keep each rank's packed weights, for fast starts");
  const auto flags = std::make_shared<ShardFlags>();
  add_model_path(*command, flags->model);
  command->add_option("-o,--output", flags->output, "folder to write, empty or new")->required()->type_name("DIR");
  add_compute_flags(*command, flags->model);
  act_in_group(*command, action, flags, shard);
}

}  // namespace cleave::app
