#include "inference/loaded.h"

#include <string>
#include <vector>

#include "inference/model_message.h"
#include "inference/split.h"

namespace cleave::inference {

LoadedModel load(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                 runtime::Options options, Group& group, const Log& log, const runtime::Progress& progress) {
  options.numerics = {numbers.exact, numbers.weights, numbers.kv_type(), numbers.isa};
  opened.require_weights();
  PlanInputs inputs = plan_inputs(opened.checkpoint, split, numbers, group.num_cpus());
  if (inputs.hardware.ranks_per_machine == 0)  // each process may be a machine
    inputs.hardware.ranks_per_machine = group.num_ranks() / group.num_processes();
  std::vector<std::string> notes;
  LoadedModel loaded;
  loaded.graph = &opened.graph;
  loaded.plan = plan::make_plan(opened.graph, plan_request(inputs, opened.checkpoint.config(), opened.graph,
                                                           opened.tensors, group.num_ranks(), notes));
  for (const std::string& text : notes) write(log, LogLevel::Note, text);
  for (const std::string& text : loaded.plan.warnings) write(log, LogLevel::Warning, text);
  std::string description;
  if (group.num_processes() > 1)
    description = to_text(
        {opened.checkpoint.path(), opened.checkpoint.config(), opened.definition, opened.tensors, inputs, options});
  loaded.split = std::make_unique<runtime::SplitModel>(
      group.ranks(), runtime::ModelSource{&opened.graph, &loaded.plan, options, &opened.weights()}, description,
      progress);
  return loaded;
}

}  // namespace cleave::inference
