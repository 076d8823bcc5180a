// Everything that is done with a configuration before weights are loaded takes steps in proportion to its layers: a
// search over all nodes for each node, or a chain that grows with every layer, would show as four times the steps for
// twice the layers.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "ckpt/checkpoint.h"
#include "counting.h"
#include "define/definitions.h"
#include "lower/lower.h"
#include "plan/explain.h"

namespace cleave {
namespace {

constexpr int64_t kLayers = 64;

// The configuration with `layers` layers: those that it has, again and again.
Json with_layers(Json config, int64_t layers) {
  for (Json* part : {&config, config.contains("text_config") ? &config["text_config"] : &config}) {
    if (!part->contains("num_hidden_layers")) continue;
    const auto before = part->at("num_hidden_layers").get<size_t>();
    part->at("num_hidden_layers") = layers;
    for (auto& [key, value] : part->items()) {
      if (!value.is_array() || value.size() != before || key == "architectures") continue;
      const Json list = value;
      for (size_t i = before; i < static_cast<size_t>(layers); ++i) value.push_back(list[i % before]);
    }
  }
  return config;
}

// Steps of each part of the way from a configuration to the program of a rank.
std::map<std::string, uint64_t> steps_of(const define::Definitions& definitions, const Json& config) {
  std::map<std::string, uint64_t> taken;
  uint64_t before = steps();
  const auto end = [&](const std::string& part) {
    taken[part] = steps() - before;
    before = steps();
  };
  const graph::ModelGraph model = definitions.trace(config, nullptr);
  end("trace");
  const std::string text = graph::text(model.graph);
  end("text");
  const graph::Graph graph = graph::push_slices_into_weights(model.graph);
  end("push slices");
  plan::PlanOptions options;
  options.rank_weights.assign(3, 1.0);
  options.policy = plan::Policy::Split;
  const plan::Plan plan = plan::make_plan(graph, options);
  end("plan");
  const std::string explanation = plan::text(plan::explain(graph, plan, options));
  end("explain");
  const lower::RankPrograms programs = lower::lower(graph, plan, 1, {});
  end("lower");
  return taken;
}

class Steps : public testing::TestWithParam<std::string> {};

TEST_P(Steps, AreTwiceAsManyForTwiceTheLayers) {
  const std::filesystem::path models = std::filesystem::path(CLEAVE_TEST_DATA) / "models";
  const Json config = ckpt::Checkpoint::open(models / GetParam() / "config.json").config();
  const define::Definitions definitions = define::Definitions::load();
  const auto once = steps_of(definitions, with_layers(config, kLayers));
  const auto twice = steps_of(definitions, with_layers(config, 2 * kLayers));
  for (const auto& [part, count] : once) {
    EXPECT_GT(count, 1000u) << part;
    EXPECT_LE(static_cast<double>(twice.at(part)), 2.1 * static_cast<double>(count)) << part;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Steps,
                         testing::Values("llama", "mixtral", "gpt-oss", "gemma3", "gpt-neox", "falcon-40b-style",
                                         "jamba", "qwen3-next", "deepseek-v3", "mamba2", "llama4", "falcon-h1"),
                         [](const auto& model) {
                           std::string name = model.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace cleave
