// same_graph: reads lines {"name": ..., "path": config.json, "without": [[key, ...], ...]} and says for each list
// whether the configuration without these keys ("text_config/head_dim" for a nested one) has the graph that it has with
// them. Writes a line for each difference, and at the end how many lists there were.
#include <fmt/format.h>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/strings.h"
#include "ckpt/config.h"
#include "define/config.h"
#include "define/definitions.h"

namespace cleave {
namespace {

void remove(Json& config, const std::string& path) {
  Json* object = &config;
  std::vector<std::string> keys = split(path, '/');
  for (size_t i = 0; i + 1 < keys.size(); ++i) object = &object->at(keys[i]);
  if (object->erase(keys.back()) == 0) fail(ErrorKind::NotFound, "there is no {}", path);
}

// Where the graphs differ, attributes that the text form does not show included; nothing where they do not.
std::optional<std::string> difference(const graph::Graph& a, const graph::Graph& b) {
  if (a.nodes().size() != b.nodes().size())
    return fmt::format("{} nodes, {} without", a.nodes().size(), b.nodes().size());
  for (size_t i = 0; i < a.nodes().size(); ++i) {
    const graph::Node &x = a.nodes()[i], &y = b.nodes()[i];
    const auto id = static_cast<graph::NodeId>(i);
    if (x.op != y.op || x.name != y.name || x.inputs != y.inputs || a.shape_text(id) != b.shape_text(id) ||
        !(x.attributes == y.attributes))
      return fmt::format("node {} ({}{})", i, graph::op_info(x.op).name, x.name.empty() ? "" : " " + x.name);
  }
  return std::nullopt;
}

// Whether no definition can see a difference between these normalised configurations.
bool look_the_same(Json a, Json b, const std::vector<std::string>& removed) {
  const auto is_read = [](const std::string& key) {
    for (const define::EmbeddedFile& file : define::embedded_files())
      if (file.text.find(key) != std::string_view::npos) return true;
    return false;
  };
  for (const std::string& key : removed)
    if (!is_read(key)) a.erase(key), b.erase(key);
  return a == b;
}

class Comparison {
 public:
  Comparison(const define::Definitions& definitions, const Json& line)
      : definitions_(definitions),
        name_(line.at("name").get<std::string>()),
        config_(ckpt::read_config(line.at("path").get<std::string>())),
        normalised_(define::normalize_config(config_)) {}

  // Nothing where the graphs are the same.
  std::optional<std::string> without(const std::vector<std::string>& keys) {
    try {
      Json less = config_;
      for (const std::string& key : keys) remove(less, key);
      if (look_the_same(normalised_, define::normalize_config(less), keys)) return std::nullopt;
      if (!whole_) whole_ = definitions_.trace(config_, nullptr);
      const auto found = difference(whole_->graph, definitions_.trace(less, nullptr).graph);
      return found ? std::optional(fmt::format("{} without {}: {}", name_, join(keys, ", "), *found)) : std::nullopt;
    } catch (const Error& error) {
      return fmt::format("{} without {}: {}", name_, join(keys, ", "), error.what());
    }
  }

 private:
  const define::Definitions& definitions_;
  std::string name_;
  Json config_, normalised_;
  std::optional<graph::ModelGraph> whole_;  // traced once it is needed
};

int run() {
  const define::Definitions definitions = define::Definitions::load();
  size_t lists = 0, differences = 0;
  for (std::string text; std::getline(std::cin, text);) {
    const Json line = parse_json(text, "standard input");
    Comparison comparison(definitions, line);
    for (const Json& keys : line.at("without")) {
      ++lists;
      if (const auto found = comparison.without(keys.get<std::vector<std::string>>())) {
        ++differences;
        std::cout << *found << "\n";
      }
    }
  }
  std::cout << lists << " compared\n";
  return differences == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cleave

int main() {
  try {
    return cleave::run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
