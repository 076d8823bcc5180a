#include "inference/unused_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "graph/stored_name.h"

namespace cleave::inference {
namespace {

std::set<std::string> used_tensors(const graph::Graph& graph) {
  std::set<std::string> used;
  for (const graph::Node& node : graph.nodes()) {
    if (node.op != graph::Op::Weight) continue;
    for (std::string& name : graph::stored_names(node.as<graph::WeightAttributes>())) used.insert(std::move(name));
  }
  return used;
}

// Segments of names that tell what does not matter to the text that a model writes.
constexpr std::string_view kHarmlessSegments[] = {"rotary_emb",     "inv_freq",     "masked_bias",     "position_ids",
                                                  "rotary_pos_emb", "mtp",          "mtp_layers",      "lm_head",
                                                  "input_scale",    "k_scale",      "v_scale",         "q_scale",
                                                  "kv_scale",       "output_scale", "activation_scale"};
// Segments of an encoder's weights for tasks that the vectors of tokens do not depend on.
constexpr std::string_view kTaskSegments[] = {"pooler",
                                              "cls",
                                              "predictions",
                                              "contact_head",
                                              "query_global",
                                              "key_global",
                                              "value_global",
                                              "entity_embeddings",
                                              "pred_layer",
                                              "splinter_qass",
                                              "embed_positions",
                                              "discriminator_predictions",
                                              "generator_predictions"};
// Parts of such segments.
constexpr std::string_view kHarmlessParts[] = {"vision", "visual",    "image",   "audio", "multi_modal",
                                               "mm_",    "projector", "vqmodel", "speech"};

// Constants that layers were saved with: the mask of GPT-2's attention ("h.0.attn.bias"; its projections have other
// names), decays of MiniMax's, two numbers of xIELU.
bool is_constant(std::string_view name) {
  return name.ends_with(".act_fn.beta") || name.ends_with(".act_fn.eps") || name.ends_with("_decay") ||
         name.ends_with(".attn.bias") || name.ends_with(".attention.bias") || name.ends_with(".attn.attention.bias");
}

// Whether the name has a segment "layers" or the like with a larger number behind it than the model has layers.
bool is_beyond_layers(const std::vector<std::string>& segments, int64_t num_layers) {
  for (size_t i = 1; i < segments.size(); ++i) {
    const std::string& number = segments[i];
    const bool is_number = !number.empty() && number.size() < 10 &&
                           std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c) != 0; });
    if (is_number && (segments[i - 1] == "layers" || segments[i - 1] == "blk")) return std::stoll(number) >= num_layers;
  }
  return false;
}

bool is_harmless(std::string_view name, int64_t num_layers, bool encodes) {
  const std::vector<std::string> segments = split(name, '.');
  const auto harmless = [encodes](const std::string& segment) {
    return std::ranges::count(kHarmlessSegments, segment) > 0 ||
           (encodes && std::ranges::count(kTaskSegments, segment) > 0) ||
           std::ranges::any_of(kHarmlessParts,
                               [&](std::string_view part) { return segment.find(part) != std::string::npos; });
  };
  return is_constant(name) || is_beyond_layers(segments, num_layers) || std::ranges::any_of(segments, harmless);
}

// Whether the name stands for a tensor that is there under its own name, too.
bool is_sorted_form(std::string_view name, const TensorTable& tensors) {
  return std::ranges::any_of(std::array{kSortedColumns, kColumnOrder}, [&](std::string_view ending) {
    return name.ends_with(ending) && tensors.contains(name.substr(0, name.size() - ending.size()));
  });
}

// Lines for the tensors that the graph does not read and `is_wanted` takes.
template <class Predicate>
std::vector<std::string> unused_lines(const TensorTable& tensors, const graph::Graph& graph,
                                      const Predicate& is_wanted) {
  const std::set<std::string> used = used_tensors(graph);
  std::map<std::string, std::vector<std::string>> by_pattern;
  for (const auto& [name, info] : tensors)
    if (!used.contains(name) && !is_sorted_form(name, tensors) && is_wanted(name))
      by_pattern[stars_for_numbers(name)].push_back(name);
  std::vector<std::string> lines;
  for (const auto& [pattern, names] : by_pattern)
    lines.push_back(names.size() == 1 ? names[0] : fmt::format("{} ({})", pattern, names.size()));
  return lines;
}

constexpr size_t kShownPatterns = 4;

}  // namespace

std::vector<std::string> unused_tensors(const TensorTable& tensors, const graph::Graph& graph) {
  return unused_lines(tensors, graph, [](const std::string&) { return true; });
}

std::optional<std::string> forgotten_tensors_warning(const TensorTable& tensors, const graph::Graph& graph,
                                                     int64_t num_layers) {
  const bool encodes = std::ranges::count(graph.outputs(), "encode", &graph::Output::name) > 0;
  std::vector<std::string> lines =
      unused_lines(tensors, graph, [&](const std::string& name) { return !is_harmless(name, num_layers, encodes); });
  if (lines.empty()) return std::nullopt;
  const size_t kinds = lines.size();
  lines.resize(std::min(kinds, kShownPatterns));
  return fmt::format(
      "the checkpoint has weights that the model does not use: {}{}", join(lines, ", "),
      kinds > kShownPatterns ? fmt::format(" and {} kinds more (--verbose)", kinds - kShownPatterns) : std::string());
}

}  // namespace cleave::inference
