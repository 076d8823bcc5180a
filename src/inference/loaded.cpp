#include "inference/loaded.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "inference/packed_model.h"
#include "inference/split.h"

namespace cleave::inference {
namespace {

void add_text(Hash& hash, std::string_view text) {
  hash.add(text.size());
  for (const char c : text) hash.add(c);
}

// Of all that decides what ranks pack, and of the files that they pack.
std::string identity_of(const ModelMessage& message, const ckpt::Checkpoint& checkpoint, const plan::Plan& plan) {
  Hash hash;
  add_text(hash, to_text(message));
  hash.add(plan.hash());
  for (const std::filesystem::path& file : checkpoint.files()) {
    std::error_code ignored;
    add_text(hash, file.filename().string());
    hash.add(std::filesystem::file_size(file, ignored));
    hash.add(std::filesystem::last_write_time(file, ignored).time_since_epoch().count());
  }
  return fmt::format("{:016x}", hash.value());
}

// What ranks without files need to know: precision and split as the user wants them, or as the model was packed.
ModelMessage message_of(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                        runtime::Options options, const Group& group) {
  options.numerics = {numbers.exact, numbers.weights, numbers.kv_type(), numbers.isa};
  if (opened.packed) {
    require_as_packed(*opened.packed, numbers, split, group.num_ranks());
    ModelMessage message = opened.packed->message;
    options.numerics.exact = message.options.numerics.exact;
    options.numerics.weights = message.options.numerics.weights;
    if (options.numerics.exact) options.numerics.kv_type = DType::F32;
    message.path = opened.checkpoint.path();
    message.config = opened.checkpoint.config();
    message.options = options;
    return message;
  }
  PlanInputs inputs = plan_inputs(opened.checkpoint, split, numbers, group.num_cpus());
  if (inputs.hardware.ranks_per_machine == 0)  // each process may be a machine
    inputs.hardware.ranks_per_machine = group.num_ranks() / group.num_processes();
  return {.path = opened.checkpoint.path(),
          .config = opened.checkpoint.config(),
          .definition = opened.definition,
          .tensors = opened.tensors,
          .plan = std::move(inputs),
          .options = options};
}

plan::PlanOptions request_of(const OpenedModel& opened, const ModelMessage& message, int ranks, const Log& log) {
  std::vector<std::string> notes;
  plan::PlanOptions request = plan_request(message.plan, message.config, opened.graph, message.tensors, ranks, notes);
  for (const std::string& text : notes) write(log, LogLevel::Note, text);
  return request;
}

plan::Plan plan_of(const OpenedModel& opened, const plan::PlanOptions& request, const Log& log) {
  plan::Plan plan = plan::make_plan(opened.graph, request);
  for (const std::string& text : plan.warnings) write(log, LogLevel::Warning, text);
  return plan;
}

std::unique_ptr<runtime::SplitModel> split_model(const OpenedModel& opened, const ModelMessage& message,
                                                 const plan::Plan& plan, Group& group,
                                                 const runtime::Progress& progress) {
  const std::string description = group.num_processes() > 1 ? to_text(message) : "";
  const ckpt::TensorSource* tensors = message.packed ? nullptr : &opened.weights();
  return std::make_unique<runtime::SplitModel>(
      group.ranks(), runtime::ModelSource{&opened.graph, &plan, message.options, tensors, message.packed, message.save},
      description, progress);
}

}  // namespace

LoadedModel load(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                 const runtime::Options& options, Group& group, const Log& log, const runtime::Progress& progress) {
  opened.require_weights();
  const ModelMessage message = message_of(opened, numbers, split, options, group);
  LoadedModel loaded{.graph = &opened.graph,
                     .plan = {},
                     .request = request_of(opened, message, group.num_ranks(), log),
                     .split = nullptr};
  loaded.plan = plan_of(opened, loaded.request, log);
  loaded.split = split_model(opened, message, loaded.plan, group, progress);
  return loaded;
}

ModelMessage load_and_save(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                           const runtime::Options& options, Group& group, const std::filesystem::path& directory,
                           const Log& log, const runtime::Progress& progress) {
  opened.require_weights();
  ModelMessage message = message_of(opened, numbers, split, options, group);
  const plan::Plan plan = plan_of(opened, request_of(opened, message, group.num_ranks(), log), log);
  message.save = runtime::PackedParts{directory, identity_of(message, opened.checkpoint, plan)};
  split_model(opened, message, plan, group, progress);
  return message;
}

}  // namespace cleave::inference
