#include "app/open_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/model_message.h"
#include "app/planning.h"
#include "app/terminal.h"
#include "app/unused_tensors.h"
#include "base/error.h"
#include "define/config.h"
#include "lower/program.h"

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

// The same for a process that has only heard of them.
class TableShapes final : public define::WeightShapes {
 public:
  explicit TableShapes(const TensorTable& tensors) : tensors_(tensors) {}
  std::optional<Shape> find(std::string_view name) const override {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? std::nullopt : std::optional(found->second.shape);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, entry] : tensors_) names.push_back(name);
    return names;
  }
  FindType types() const {
    return [this](const std::string& name) -> std::optional<DType> {
      const auto found = tensors_.find(name);
      return found == tensors_.end() ? std::nullopt : std::optional(found->second.dtype);
    };
  }

 private:
  const TensorTable& tensors_;
};

// The model's files, if this process has them and they hold the same tensors.
std::optional<ckpt::Checkpoint> same_files(const std::filesystem::path& path, const TensorTable& tensors) {
  try {
    ckpt::Checkpoint checkpoint = ckpt::Checkpoint::open(path);
    if (checkpoint.has_weights() && tensor_table(checkpoint) == tensors) return checkpoint;
  } catch (const Error&) {  // not here, or something else: rank 0 has them
  }
  return std::nullopt;
}

// What a process does that does not have rank 0.
void follow(const ModelFlags& flags, Launch& launch) {
  const ModelMessage message = receive_model(launch);
  const std::optional<ckpt::Checkpoint> checkpoint = same_files(flags.model, message.tensors);
  answer_model(checkpoint.has_value(), launch);
  const TableShapes shapes(message.tensors);
  const graph::Model model = define::Definitions::of(message.definition).trace(message.config, &shapes);
  const graph::Graph graph = graph::push_slices_into_weights(model.graph("decode"));
  std::vector<std::string> notes;  // rank 0 prints them
  const plan::Plan plan = plan::make_plan(
      graph, plan_request(message.plan, message.config, graph, shapes.types(), launch.num_ranks(), notes));
  runtime::Ranks ranks({checkpoint ? &*checkpoint : nullptr}, graph, plan, message.options, launch.local());
  ranks.follow();
}

// Stored tensors of which the model takes columns, or parts of rows that are no whole blocks.
std::set<std::string> cut_tensors(const graph::Graph& graph, int64_t block) {
  std::set<std::string> names;
  for (const lower::Parameter& parameter : lower::lower(graph::push_slices_into_weights(graph), {}).parameters)
    for (const lower::Piece& piece : parameter.view.pieces)
      if (piece.strides.back() != 1 || piece.offset % block != 0 || piece.extents.back() % block != 0)
        names.insert(piece.tensor);
  return names;
}

// Matrices of the wanted type, or of BF16 where the model does not take whole blocks of them; vectors in f32.
void make_random_weights(ckpt::Checkpoint& checkpoint, const graph::Graph& graph, DType wanted, uint64_t seed) {
  if (checkpoint.has_weights())
    fail(ErrorKind::InvalidArgument, "{} has weights; give its config.json alone for random ones",
         checkpoint.path().string());
  const int64_t block = info(wanted).block_elements;
  const std::set<std::string> cut = block == 1 ? std::set<std::string>() : cut_tensors(graph, block);
  std::vector<ckpt::RandomTensor> list;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const graph::Node& node = graph.nodes()[i];
    if (node.op != graph::Op::Weight) continue;
    const auto& weight = node.as<graph::WeightAttributes>();
    Shape shape = graph.shape(static_cast<graph::NodeId>(i));
    if (weight.stacked > 0) shape.erase(shape.begin());
    for (int64_t n = 0; n < std::max<int64_t>(1, weight.stacked); ++n) {
      std::string name = weight.name;
      if (const size_t star = name.find('*'); star != std::string::npos) name.replace(star, 1, std::to_string(n));
      const bool whole = !shape.empty() && shape.back() % block == 0 && !cut.contains(name);
      const DType type = shape.size() < 2 ? DType::F32 : whole ? wanted : DType::BF16;
      list.push_back({std::move(name), type, shape});
    }
  }
  checkpoint.make_random_weights(list, seed);
}

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
  if (flags.random_weights)
    make_random_weights(checkpoint, graphs.graph("decode"), *flags.random_weights, flags.random_seed);
  if (flags.verbose)
    for (const std::string& tensor : unused_tensors(checkpoint, graphs))
      note(fmt::format("cleave: the model does not use tensor {}", tensor));
  Json config = define::normalize_config(checkpoint.config());
  const define::Definition definition = *definitions.find(graphs.architecture);
  return {std::move(checkpoint), definition, std::move(graphs), std::move(config)};
}

LoadedRanks load_model(const OpenedModel& opened, const ModelFlags& flags, runtime::Options options, Launch& launch) {
  options.exact = flags.exact;
  options.weights = flags.weights;
  options.isa = flags.isa;
  options.kv_type = flags.kv_type();
  opened.checkpoint.require_weights();
  PlanInputs inputs = plan_inputs(opened.checkpoint, flags);
  if (inputs.hardware.ranks_per_machine == 0)  // each process may be a machine
    inputs.hardware.ranks_per_machine = launch.num_ranks() / launch.num_processes();
  LoadedRanks loaded;
  loaded.graph = std::make_unique<graph::Graph>(graph::push_slices_into_weights(opened.graphs.graph("decode")));
  std::vector<std::string> notes;
  loaded.plan = plan::make_plan(*loaded.graph, plan_request(inputs, opened.checkpoint.config(), *loaded.graph,
                                                            types_in(opened.checkpoint), launch.num_ranks(), notes));
  for (const std::string& text : notes) note("cleave: note: " + text);
  for (const std::string& text : loaded.plan.warnings) note("cleave: warning: " + text);
  runtime::WeightOrigin weights{&opened.checkpoint};
  if (launch.num_processes() > 1)
    weights.feed = send_model(
        {opened.checkpoint.config(), opened.definition, tensor_table(opened.checkpoint), inputs, options}, launch);
  ProgressBar bar("loading");
  loaded.ranks = std::make_unique<runtime::Ranks>(weights, *loaded.graph, loaded.plan, options, launch.local(),
                                                  [&](int64_t done, int64_t total) { bar.update(done, total); });
  return loaded;
}

int with_launch(const ModelFlags& flags, int ranks, const std::function<int(Launch&)>& lead) {
  Launch launch(flags, ranks);
  int code = 0;
  try {
    if (launch.leads())
      code = lead(launch);
    else
      follow(flags, launch);
  } catch (const std::exception& error) {
    launch.abort(error.what());
    throw;
  }
  launch.finish();
  return code;
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
