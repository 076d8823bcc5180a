#include "app/open_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/planning.h"
#include "app/terminal.h"
#include "app/unused_tensors.h"
#include "define/config.h"
#include "define/definitions.h"

namespace cleave::app {
namespace {

// The checkpoint's tensors as definitions see them.
class CheckpointShapes final : public define::WeightShapes {
 public:
  explicit CheckpointShapes(const ckpt::Checkpoint& checkpoint) : checkpoint_(checkpoint) {}
  std::optional<Shape> find(std::string_view name) const override {
    const ckpt::Tensor* tensor = checkpoint_.find(name);
    return tensor == nullptr ? std::nullopt : std::optional(tensor->view.shape);
  }
  std::vector<std::string> names() const override { return checkpoint_.names(); }

 private:
  const ckpt::Checkpoint& checkpoint_;
};

}  // namespace

std::optional<int64_t> OpenedModel::max_positions() const {
  const auto found = config.find("max_position_embeddings");
  return found != config.end() && found->is_number_integer() ? std::optional(found->get<int64_t>()) : std::nullopt;
}

int64_t OpenedModel::vocab_size() const {
  const graph::Graph& decode = graphs.graph("decode");
  return decode.shape(decode.outputs().front()).back();
}

OpenedModel open_model(const ModelFlags& flags) {
  const define::Definitions definitions = define::Definitions::load(flags.definitions);
  ckpt::Checkpoint checkpoint = ckpt::Checkpoint::open(flags.model);
  const CheckpointShapes shapes(checkpoint);
  graph::Model graphs = definitions.trace(checkpoint.config(), checkpoint.has_weights() ? &shapes : nullptr);
  if (flags.verbose)
    for (const std::string& tensor : unused_tensors(checkpoint, graphs))
      note(fmt::format("cleave: the model does not use tensor {}", tensor));
  Json config = define::normalize_config(checkpoint.config());
  return {std::move(checkpoint), std::move(graphs), std::move(config)};
}

LoadedRanks load_model(const OpenedModel& opened, const ModelFlags& flags, runtime::Options options) {
  options.exact = flags.exact;
  options.weights = flags.int8_weights ? kernels::WeightFormat::Int8 : kernels::WeightFormat::AsStored;
  opened.checkpoint.require_weights();
  LoadedRanks loaded;
  loaded.graph = std::make_unique<graph::Graph>(graph::push_slices_into_weights(opened.graphs.graph("decode")));
  loaded.plan = plan::make_plan(*loaded.graph, plan_request(opened, *loaded.graph, flags, flags.split.tp));
  for (const std::string& text : loaded.plan.warnings) note("cleave: warning: " + text);
  runtime::Ranks::Local local;
  local.threads_per_rank = flags.split.threads_per_rank.value_or(std::max(1, flags.threads / flags.split.tp));
  local.communicators = comm::thread_communicators(flags.split.tp, {.threads_per_rank = local.threads_per_rank});
  ProgressBar bar("loading");
  loaded.ranks = std::make_unique<runtime::Ranks>(opened.checkpoint, *loaded.graph, loaded.plan, options, std::move(local),
                                                  [&](int64_t done, int64_t total) { bar.update(done, total); });
  return loaded;
}

int64_t context_length(const OpenedModel& opened, std::optional<int64_t> asked, int64_t prompt, int64_t answer) {
  const std::optional<int64_t> made_for = opened.max_positions();
  if (asked && made_for && *asked > *made_for)
    note(fmt::format("cleave: warning: the model was made for {} tokens; beyond that, what it says may make no sense",
                     *made_for));
  if (asked) return *asked;
  return std::min(made_for.value_or(prompt + answer), prompt + answer);
}

}  // namespace cleave::app
