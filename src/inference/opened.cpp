#include "inference/opened.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "define/config.h"
#include "graph/stored_name.h"
#include "inference/packed_model.h"
#include "inference/unused_tensors.h"
#include "lower/lower.h"

namespace cleave::inference {
namespace {

// Stored tensors of which the model takes columns, or parts of rows that are no whole blocks.
std::set<std::string> cut_tensors(const graph::Graph& graph, int64_t block) {
  std::set<std::string> names;
  for (const lower::Parameter& parameter : lower::lower(graph, {}).parameters)
    for (const lower::Piece& piece : parameter.view.pieces)
      if (piece.strides.back() != 1 || piece.offset % block != 0 || piece.extents.back() % block != 0)
        names.insert(piece.tensor);
  return names;
}

// Matrices of the wanted type, or of BF16 where the model does not take whole blocks of them; vectors in f32.
ckpt::RandomWeights make_random_weights(const ckpt::Checkpoint& checkpoint, const graph::Graph& traced,
                                        const graph::Graph& graph, const RandomWeights& random) {
  if (checkpoint.has_weights())
    fail(ErrorKind::InvalidArgument, "{} has weights; give its config.json alone for random ones",
         checkpoint.path().string());
  const int64_t block = info(random.matrices).block_elements;
  const std::set<std::string> cut = block == 1 ? std::set<std::string>() : cut_tensors(graph, block);
  std::vector<ckpt::RandomTensor> list;
  for (size_t i = 0; i < traced.nodes().size(); ++i) {
    const graph::Node& node = traced.nodes()[i];
    if (node.op != graph::Op::Weight) continue;
    const auto& weight = node.as<graph::WeightAttributes>();
    Shape shape = traced.shape(static_cast<graph::NodeId>(i));
    if (weight.stacked > 0) shape.erase(shape.begin());
    for (std::string& name : graph::stored_names(weight)) {
      const bool whole = !shape.empty() && shape.back() % block == 0 && !cut.contains(name);
      const DType type = shape.size() < 2 ? DType::F32 : whole ? random.matrices : DType::BF16;
      list.push_back({std::move(name), type, shape});
    }
  }
  return {list, random.seed};
}

}  // namespace

const ckpt::TensorSource& OpenedModel::weights() const {
  if (random) return *random;
  return checkpoint;
}

void OpenedModel::require_weights() const {
  if (!random && !packed) checkpoint.require_weights();
}

std::optional<int64_t> OpenedModel::max_positions() const {
  const auto found = config.find("max_position_embeddings");
  return found != config.end() && found->is_number_integer() ? std::optional(found->get<int64_t>()) : std::nullopt;
}

int64_t OpenedModel::vocab_size() const {
  return graph.shape(graph.outputs().front().node).back();
}

OpenedModel open(const ModelOptions& options, const Log& log) {
  std::optional<PackedModel> packed;
  if (is_packed_model(options.path)) packed = read_packed_model(options.path);
  const define::Definitions definitions =
      packed ? define::Definitions::of(packed->message.definition) : define::Definitions::load(options.definitions);
  ckpt::Checkpoint checkpoint = ckpt::Checkpoint::open(options.path);
  TensorTable tensors = packed ? packed->message.tensors : checkpoint.table();
  const bool has_weights = packed || checkpoint.has_weights();
  graph::ModelGraph traced = definitions.trace(checkpoint.config(), has_weights ? &tensors : nullptr);
  graph::Graph graph = graph::push_slices_into_weights(traced.graph);
  std::optional<ckpt::RandomWeights> random;
  if (packed) packed->message.packed = {packed->directory, packed->model, options.map_packed};
  if (options.random_weights) {
    if (packed) fail(ErrorKind::InvalidArgument, "{} has weights", options.path.string());
    random.emplace(make_random_weights(checkpoint, traced.graph, graph, *options.random_weights));
    tensors = random->table();
  }
  if (options.list_unused)
    for (const std::string& tensor : unused_tensors(tensors, traced.graph))
      write(log, LogLevel::Info, fmt::format("the model does not use tensor {}", tensor));
  Json config = define::normalize_config(checkpoint.config());
  const define::Definition definition = *definitions.find(traced.architecture);
  return {std::move(checkpoint), definition,         std::move(traced), std::move(graph),
          std::move(config),     std::move(tensors), std::move(random), std::move(packed)};
}

int64_t context_length(const OpenedModel& opened, std::optional<int64_t> asked, int64_t needed, const Log& log) {
  const std::optional<int64_t> made_for = opened.max_positions();
  if (asked && made_for && *asked > *made_for)
    write(log, LogLevel::Warning,
          fmt::format("the model was made for {} tokens; beyond that, what it says may make no sense", *made_for));
  if (asked) return *asked;
  return std::min(made_for.value_or(needed), needed);
}

}  // namespace cleave::inference
