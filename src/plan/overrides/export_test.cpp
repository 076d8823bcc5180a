#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "plan/overrides.h"
#include "plan/testing/modules.h"

namespace cleave::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Decisions = std::vector<std::optional<Treatment>>;

constexpr std::array kFormats = {ExportFormat::TpPlan, ExportFormat::PartitionConfig, ExportFormat::Items};

// The split that is usual, with the head split over the vocabulary.
Decisions usual(const std::vector<ModuleInfo>& modules) {
  Decisions decisions;
  for (const ModuleInfo& module : modules) {
    const std::string last = module.name.substr(module.name.rfind('.') + 1);
    const bool row = last == "o_proj" || last == "down_proj" || last == "w2" || last == "embed_tokens";
    decisions.push_back(row ? Treatment::Row : last == "gate" ? Treatment::Keep : Treatment::Column);
  }
  return decisions;
}

Decisions read_back(const Exported& exported, const std::vector<ModuleInfo>& modules) {
  const auto overrides = parse_config(exported.text, {OriginKind::ConfigFile, "exported.json"}).overrides;
  const Resolved resolved = resolve(overrides, modules, {"any", {}}, true);
  EXPECT_TRUE(resolved.warnings.empty()) << resolved.warnings.front();
  Decisions decisions;
  for (const auto& decision : resolved.by_module)
    decisions.push_back(decision ? std::optional(decision->treatment) : std::nullopt);
  return decisions;
}

TEST(Export, WritesAPlanOfTransformers) {
  const auto modules = test::llama();
  const Exported exported = export_decisions(modules, usual(modules), ExportFormat::TpPlan);
  EXPECT_EQ(exported.text, R"({
  "tp_plan": {
    "model.embed_tokens": "embedding_rowwise",
    "model.layers.*.self_attn.q_proj": "colwise",
    "model.layers.*.self_attn.k_proj": "colwise",
    "model.layers.*.self_attn.v_proj": "colwise",
    "model.layers.*.self_attn.o_proj": "rowwise",
    "model.layers.*.mlp.gate_proj": "colwise",
    "model.layers.*.mlp.up_proj": "colwise",
    "model.layers.*.mlp.down_proj": "rowwise",
    "lm_head": "colwise_gather_output"
  }
}
)");
  EXPECT_TRUE(exported.notes.empty());
}

TEST(Export, WritesLayerSpecsOfDeepSpeed) {
  const auto modules = test::mixtral();
  const Exported exported = export_decisions(modules, usual(modules), ExportFormat::PartitionConfig);
  const Json config = parse_json(exported.text, "exported")["tensor_parallel"]["partition_config"];
  EXPECT_EQ(config["use_default_specs"], false);
  ASSERT_EQ(config["layer_specs"].size(), size_t{3});
  EXPECT_EQ(config["layer_specs"][0], parse_json(R"({"partition_type": "row", "patterns": [
      "^model\\.embed_tokens\\.weight$", "^model\\.layers\\.\\d+\\.self_attn\\.o_proj\\.weight$",
      "^model\\.layers\\.\\d+\\.block_sparse_moe\\.experts\\.\\d+\\.w2\\.weight$"]})",
                                                 "expected"));
  EXPECT_EQ(config["layer_specs"][2]["partition_type"], "skip");
  EXPECT_TRUE(exported.notes.empty());
}

TEST(Export, WritesItems) {
  const auto modules = test::mixtral();
  const Json items = parse_json(export_decisions(modules, usual(modules), ExportFormat::Items).text, "exported");
  EXPECT_EQ(items["keep_linear_items"], Json::array({"model.layers.*.block_sparse_moe.gate"}));
  EXPECT_EQ(items["all_reduce_linear_items"], Json::array({"model.embed_tokens", "model.layers.*.self_attn.o_proj",
                                                           "model.layers.*.block_sparse_moe.experts.*.w2"}));
}

TEST(Export, AListOfItemsIsAValueForTheEnvironment) {
  const auto modules = test::mixtral();
  const Json items = parse_json(export_decisions(modules, usual(modules), ExportFormat::Items).text, "exported");
  const auto parsed = parse_items(items["all_reduce_linear_items"].dump(), Treatment::Row,
                                  {OriginKind::Environment, "DS_ALL_REDUCE_LINEAR_ITEMS"});
  EXPECT_EQ(parsed.size(), size_t{3});
  EXPECT_EQ(parsed[0].pattern, "model.embed_tokens");
}

TEST(Export, ReadsBackToTheSameDecisions) {
  for (const auto& modules : {test::llama(), test::mixtral(), test::qwen3_moe()})
    for (const ExportFormat format : kFormats)
      EXPECT_EQ(read_back(export_decisions(modules, usual(modules), format), modules), usual(modules));
}

TEST(Export, SingleLayersThatDifferReadBackToo) {
  const auto modules = test::llama();
  Decisions decisions = usual(modules);
  decisions[1] = Treatment::Keep;   // layers.0.self_attn.q_proj
  decisions[14] = Treatment::Keep;  // layers.1.mlp.down_proj
  for (const ExportFormat format : kFormats)
    EXPECT_EQ(read_back(export_decisions(modules, decisions, format), modules), decisions);
  EXPECT_THAT(export_decisions(modules, decisions, ExportFormat::TpPlan).notes,
              ElementsAre(HasSubstr("layers differ")));
}

TEST(Export, EveryCombinationOfTreatmentsReadsBack) {
  const std::vector<ModuleInfo> modules = {{"model.layers.0.mlp.down_proj", ModuleInfo::Kind::Linear, 8, 8},
                                           {"model.layers.1.mlp.down_proj", ModuleInfo::Kind::Linear, 8, 8},
                                           {"model.layers.2.mlp.down_proj", ModuleInfo::Kind::Linear, 8, 8},
                                           {"mlp.down_proj", ModuleInfo::Kind::Linear, 8, 8}};
  constexpr std::array kTreatments = {Treatment::Keep, Treatment::Row, Treatment::Column};
  for (const Treatment a : kTreatments)
    for (const Treatment b : kTreatments)
      for (const Treatment c : kTreatments)
        for (const Treatment d : kTreatments)
          for (const ExportFormat format : kFormats) {
            const Decisions decisions = {a, b, c, d};
            EXPECT_EQ(read_back(export_decisions(modules, decisions, format), modules), decisions);
          }
}

// The usual split with these treatments of the experts in layers 0 and 1.
Decisions with_experts(const std::vector<ModuleInfo>& modules, Treatment first, Treatment second) {
  Decisions decisions = usual(modules);
  for (size_t i = 0; i < modules.size(); ++i)
    if (modules[i].kind == ModuleInfo::Kind::Experts)
      decisions[i] = modules[i].name.find("layers.0") != std::string::npos ? first : second;
  return decisions;
}

TEST(Export, MixturesAreNamedOnce) {
  const auto modules = test::qwen3_moe();
  const Decisions decisions = with_experts(modules, Treatment::ByExpert, Treatment::ByExpert);
  const Json items = parse_json(export_decisions(modules, decisions, ExportFormat::Items).text, "exported");
  EXPECT_EQ(items["experts"], parse_json(R"({"by_expert": ["model.layers.*.mlp.experts"]})", "expected"));
  const Exported plan = export_decisions(modules, decisions, ExportFormat::TpPlan);
  EXPECT_THAT(plan.text, HasSubstr("\"model.layers.*.mlp.experts\": \"ep_dispatch_experts\""));
  EXPECT_TRUE(plan.notes.empty());
}

TEST(Export, DecisionsAboutExpertsReadBackOrAreNoted) {
  const auto modules = test::qwen3_moe();
  for (const Treatment first : {Treatment::ByExpert, Treatment::InsideExperts, Treatment::Keep, Treatment::Row})
    for (const Treatment second : {Treatment::ByExpert, Treatment::InsideExperts, Treatment::Row}) {
      Decisions decisions = with_experts(modules, first, second);
      for (const ExportFormat format : {ExportFormat::TpPlan, ExportFormat::Items})
        EXPECT_EQ(read_back(export_decisions(modules, decisions, format), modules), decisions);
      decisions[6] = Treatment::Column;  // one linear of the mixture of layer 0 differs from the others
      decisions[7].reset();
      for (const ExportFormat format : {ExportFormat::TpPlan, ExportFormat::Items})
        EXPECT_EQ(read_back(export_decisions(modules, decisions, format), modules), decisions);
    }
}

TEST(Export, DeepSpeedHasNoWordForDealingExpertsOut) {
  const auto modules = test::qwen3_moe();
  const Decisions decisions = with_experts(modules, Treatment::ByExpert, Treatment::ByExpert);
  const Exported exported = export_decisions(modules, decisions, ExportFormat::PartitionConfig);
  EXPECT_THAT(exported.notes, ElementsAre("DeepSpeed's partition_config has no word for dealing experts out: 6 modules "
                                          "are left out"));
  Decisions without = decisions;
  for (auto& decision : without)
    if (decision == Treatment::ByExpert) decision.reset();
  EXPECT_EQ(read_back(exported, modules), without);
}

TEST(Export, ModulesWithoutADecisionStayWithoutOne) {
  const auto modules = test::llama();
  Decisions decisions = usual(modules);
  decisions[4].reset();      // layers.0.self_attn.o_proj; that of layer 1 is written by itself
  decisions.back().reset();  // lm_head
  for (const ExportFormat format : kFormats)
    EXPECT_EQ(read_back(export_decisions(modules, decisions, format), modules), decisions);
}

TEST(Export, NothingDecidedIsAnEmptyObject) {
  const auto modules = test::llama();
  EXPECT_EQ(export_decisions(modules, Decisions(modules.size()), ExportFormat::Items).text, "{}\n");
}

}  // namespace
}  // namespace cleave::plan
