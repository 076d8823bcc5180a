#include "inference/opened.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/strings.h"
#include "ckpt/quantized/planned_type.h"
#include "define/config.h"
#include "graph/head.h"
#include "graph/op.h"
#include "graph/stored_name.h"
#include "graph/tables.h"
#include "inference/opening_notes.h"
#include "inference/packed_model.h"
#include "inference/split.h"
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

// What --verbose tells: keys that the configuration leaves to its class, tensors that nothing reads.
void list_unsaid(const std::vector<std::string>& filled, const TensorTable& tensors, const graph::Graph& graph,
                 const Log& log) {
  if (!filled.empty())
    write(log, LogLevel::Info, fmt::format("the configuration leaves to its class: {}", join(filled, ", ")));
  for (const std::string& tensor : unused_tensors(tensors, graph))
    write(log, LogLevel::Info, fmt::format("the model does not use tensor {}", tensor));
}

void warn_of_forgotten(const Json& config, const TensorTable& tensors, const graph::Graph& graph, const Log& log) {
  const auto layers = config.find("num_hidden_layers");
  const bool is_known = layers != config.end() && layers->is_number_integer();
  const int64_t num_layers = is_known ? layers->get<int64_t>() : std::numeric_limits<int64_t>::max();
  if (const auto warning = forgotten_tensors_warning(tensors, graph, num_layers))
    write(log, LogLevel::Warning, *warning);
}

// The weights that products multiply with.
std::set<graph::NodeId> multiplied_weights(const graph::Graph& graph) {
  std::set<graph::NodeId> found;
  std::vector<graph::NodeId> rest;
  for (const graph::Node& node : graph.nodes())
    if (graph::op_info(node.op).family == graph::OpFamily::Matmul) rest.push_back(node.inputs[1]);
  while (!rest.empty()) {
    const graph::NodeId id = rest.back();
    rest.pop_back();
    if (!found.insert(id).second) continue;
    const std::vector<graph::NodeId>& inputs = graph.node(id).inputs;
    rest.insert(rest.end(), inputs.begin(), inputs.end());
  }
  std::erase_if(found, [&](graph::NodeId id) { return graph.node(id).op != graph::Op::Weight; });
  return found;
}

// What a checkpoint would hold that the configuration alone tells of: the types of quantised weights.
TensorTable foreseen_tensors(const graph::Graph& graph, const ckpt::Quantization& quantization) {
  TensorTable tensors;
  if (quantization.method == ckpt::QuantMethod::None) return tensors;
  for (const graph::NodeId id : multiplied_weights(graph)) {
    const auto& weight = graph.node(id).as<graph::WeightAttributes>();
    Shape shape = graph.shape(id);
    if (weight.stacked > 0) shape.erase(shape.begin());
    const std::string name = graph::stored_name(weight, 0);
    if (const std::optional<DType> type = ckpt::planned_type(quantization, name, shape)) tensors[name] = {*type, shape};
  }
  return tensors;
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

std::optional<int64_t> OpenedModel::position_limit() const {
  return graph::fewest_rows(traced.graph, traced.graph.outputs().front(), graph::InputKind::Positions);
}

bool OpenedModel::is_encoder() const {
  return graph.outputs().front().name == "encode";
}

bool OpenedModel::is_encoder_decoder() const {
  return std::ranges::any_of(graph.nodes(), graph::is_cross_attention);
}

int OpenedModel::encode_program() const {
  const auto& outputs = graph.outputs();
  const auto found = std::ranges::find(outputs, "encode", &graph::Output::name);
  CHECK(found != outputs.end());
  return static_cast<int>(found - outputs.begin());
}

void OpenedModel::require_logits() const {
  if (is_encoder())
    fail(ErrorKind::Unsupported, "{} makes vectors of texts and continues none; see cleave embed", traced.architecture);
  if (is_encoder_decoder())
    fail(ErrorKind::Unsupported, "{} reads one text and writes another; cleave generate alone runs it",
         traced.architecture);
}

int64_t OpenedModel::vocab_size() const {
  if (!is_encoder()) return output_width();
  const graph::NodeId table = graph::find_token_embedding(graph);
  if (table < 0) fail(ErrorKind::Unsupported, "{} looks up no tokens in a table", traced.architecture);
  return graph.shape(table).front();
}

int64_t OpenedModel::output_width() const {
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
  graph::Graph graph = computed_graph(traced.graph, tensors);
  std::optional<ckpt::RandomWeights> random;
  if (packed) packed->message.packed = {packed->directory, packed->model, options.map_packed};
  if (options.random_weights) {
    if (packed) fail(ErrorKind::InvalidArgument, "{} has weights", options.path.string());
    random.emplace(make_random_weights(checkpoint, traced.graph, graph, *options.random_weights));
    tensors = random->table();
  }
  if (!checkpoint.has_weights() && !random) tensors = foreseen_tensors(traced.graph, checkpoint.quantization());
  std::vector<std::string> filled;
  Json config = define::normalize_config(checkpoint.config(), &filled);
  if (options.list_unused) list_unsaid(filled, tensors, traced.graph, log);
  warn_of_forgotten(config, tensors, traced.graph, log);
  if (!packed) write_opening_notes(checkpoint, traced, config, log);
  const define::Definition definition = *definitions.find(traced.architecture);
  return {std::move(checkpoint), definition,         std::move(traced), std::move(graph),
          std::move(config),     std::move(tensors), std::move(random), std::move(packed)};
}

int64_t context_length(const OpenedModel& opened, std::optional<int64_t> asked, int64_t needed, const Log& log) {
  opened.require_logits();
  const std::optional<int64_t> made_for = opened.max_positions();
  const std::optional<int64_t> limit = opened.position_limit();
  if (asked && limit && *asked > *limit)
    fail(ErrorKind::InvalidArgument,
         "a context of {} tokens, where the model has learned {} positions and no more; ask for at most as many",
         *asked, *limit);
  if (asked && made_for && *asked > *made_for)
    write(log, LogLevel::Warning,
          fmt::format("the model was made for {} tokens; beyond that, what it says may make no sense", *made_for));
  if (asked) return *asked;
  return std::min({made_for.value_or(needed), limit.value_or(needed), needed});
}

}  // namespace cleave::inference
