#include "inference/follower.h"

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "inference/model_message.h"
#include "inference/split.h"

namespace cleave::inference {
namespace {

// The model's files, if this process has them and they hold the same tensors.
std::optional<ckpt::Checkpoint> same_files(const std::filesystem::path& path, const TensorTable& tensors) {
  try {
    ckpt::Checkpoint checkpoint = ckpt::Checkpoint::open(path);
    if (checkpoint.has_weights() && checkpoint.table() == tensors) return checkpoint;
  } catch (const Error&) {  // not here, or something else: rank 0 has them
  }
  return std::nullopt;
}

}  // namespace

void follow(const std::filesystem::path& path, Group& group) {
  const ModelMessage message = receive_model(group);
  const std::optional<ckpt::Checkpoint> checkpoint = same_files(path, message.tensors);
  answer_model(checkpoint.has_value(), group);
  const graph::ModelGraph model = define::Definitions::of(message.definition).trace(message.config, &message.tensors);
  const graph::Graph graph = graph::push_slices_into_weights(model.graph);
  std::vector<std::string> notes;  // rank 0 prints them
  const plan::Plan plan = plan::make_plan(
      graph, plan_request(message.plan, message.config, graph, message.tensors, group.num_ranks(), notes));
  runtime::Ranks ranks({checkpoint ? &*checkpoint : nullptr}, graph, plan, message.options, group.local());
  ranks.follow();
}

}  // namespace cleave::inference
