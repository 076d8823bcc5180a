#include "inference/loaded.h"

#include <string>
#include <vector>

#include "inference/model_message.h"
#include "inference/split.h"

namespace cleave::inference {

LoadedModel load(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                 runtime::Options sizes, Group& group, const Log& log, const runtime::Progress& progress) {
  sizes.exact = numbers.exact;
  sizes.weights = numbers.weights;
  sizes.isa = numbers.isa;
  sizes.kv_type = numbers.kv_type();
  opened.require_weights();
  PlanInputs inputs = plan_inputs(opened.checkpoint, split, numbers);
  if (inputs.hardware.ranks_per_machine == 0)  // each process may be a machine
    inputs.hardware.ranks_per_machine = group.num_ranks() / group.num_processes();
  std::vector<std::string> notes;
  LoadedModel loaded;
  loaded.graph = &opened.graph;
  loaded.plan = plan::make_plan(opened.graph, plan_request(inputs, opened.checkpoint.config(), opened.graph,
                                                           opened.tensors, group.num_ranks(), notes));
  for (const std::string& text : notes) write(log, LogLevel::Note, text);
  for (const std::string& text : loaded.plan.warnings) write(log, LogLevel::Warning, text);
  runtime::WeightOrigin weights{&opened.weights()};
  if (group.num_processes() > 1)
    weights.feed = send_model({opened.checkpoint.config(), opened.definition, opened.tensors, inputs, sizes}, group);
  loaded.ranks = std::make_unique<runtime::Ranks>(weights, opened.graph, loaded.plan, sizes, group.local(), progress);
  return loaded;
}

}  // namespace cleave::inference
