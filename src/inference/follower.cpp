#include "inference/follower.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "inference/model_message.h"
#include "inference/split.h"

namespace cleave::inference {
namespace {

// The model's files, if this process has them at the path and they hold the same tensors.
std::optional<ckpt::Checkpoint> same_files(const std::filesystem::path& path, const TensorTable& tensors) {
  try {
    ckpt::Checkpoint checkpoint = ckpt::Checkpoint::open(path);
    if (checkpoint.has_weights() && checkpoint.table() == tensors) return checkpoint;
  } catch (const Error&) {  // not here, or something else: rank 0 has them
  }
  return std::nullopt;
}

/// A model as this process makes it of what rank 0 says.
struct FollowedModel {
  FollowedModel(const ModelMessage& message, const std::filesystem::path& path, int num_ranks)
      : packed(message.packed) {
    if (packed && std::filesystem::is_directory(path)) packed->directory = path;  // where this machine has them
    if (!packed) checkpoint = same_files(path, message.tensors);
    if (!packed && !checkpoint) checkpoint = same_files(message.path, message.tensors);
    const graph::ModelGraph model = define::Definitions::of(message.definition).trace(message.config, &message.tensors);
    graph = std::make_unique<graph::Graph>(computed_graph(model.graph, message.tensors));
    std::vector<std::string> notes;  // rank 0 prints them
    plan =
        plan::make_plan(*graph, plan_request(message.plan, message.config, *graph, message.tensors, num_ranks, notes));
  }

  std::optional<runtime::PackedParts> packed;
  std::optional<ckpt::Checkpoint> checkpoint;
  std::unique_ptr<graph::Graph> graph;
  plan::Plan plan;
};

}  // namespace

void follow(const std::filesystem::path& path, Group& group) {
  group.ranks().follow([&](std::string_view description) -> runtime::ModelSource {
    const ModelMessage message = parse_model_message(description);
    const auto model = std::make_shared<const FollowedModel>(message, path, group.num_ranks());
    return {model->graph.get(),
            &model->plan,
            message.options,
            model->checkpoint ? &*model->checkpoint : nullptr,
            model->packed,
            message.save,
            model};
  });
}

}  // namespace cleave::inference
