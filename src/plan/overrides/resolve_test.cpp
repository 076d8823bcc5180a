#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/overrides.h"
#include "plan/testing/modules.h"

namespace cleave::plan {
namespace {

using test::by_name;
using test::error_of;
using test::names_with;
using testing::ElementsAre;
using testing::HasSubstr;

Override item(const std::string& pattern, Treatment treatment, OriginKind kind = OriginKind::Flag) {
  Override override;
  override.pattern = pattern;
  override.treatment = treatment;
  override.origin = {kind, treatment == Treatment::Keep ? "--keep" : "--all-reduce"};
  return override;
}

std::vector<Override> config(std::string_view text) {
  return parse_config(text, {OriginKind::ConfigFile, "plan.json"}).overrides;
}

Resolved on_llama(const std::vector<Override>& overrides, bool strict = false) {
  return resolve(overrides, test::llama(), test::kLlama, strict);
}

std::string kept_in_llama(const std::vector<Override>& overrides) {
  return names_with(Treatment::Keep, test::llama(), on_llama(overrides));
}

TEST(Resolve, NamesNeverMatchLongerSegments) {
  EXPECT_EQ(names_with(Treatment::Keep, test::mixtral(),
                       resolve(std::vector{item("gate", Treatment::Keep)}, test::mixtral(), test::kMixtral, true)),
            "model.layers.0.block_sparse_moe.gate model.layers.1.block_sparse_moe.gate");
  EXPECT_EQ(kept_in_llama({item("gate", Treatment::Keep)}), "");
}

TEST(Resolve, ModelsSelectWhomAnItemIsAbout) {
  Override w2 = item("w2", Treatment::Row);
  w2.models = {"Mixtral"};
  const std::vector<Override> overrides = {w2};
  EXPECT_EQ(names_with(Treatment::Row, test::mixtral(), resolve(overrides, test::mixtral(), test::kMixtral, true)),
            "model.layers.0.block_sparse_moe.experts.*.w2 model.layers.1.block_sparse_moe.experts.*.w2");
  const Resolved other = on_llama(overrides, true);  // nothing matches, and nobody minds
  EXPECT_EQ(names_with(Treatment::Row, test::llama(), other), "");
}

TEST(Resolve, ModelTypesOfDeepSpeedAreCompared) {
  const std::vector<Override> specs = config(R"({"layer_specs": [
      {"patterns": ["lm_head"], "partition_type": "skip", "model_types": ["qwen3"]}]})");
  EXPECT_EQ(names_with(Treatment::Keep, test::qwen3_moe(), resolve(specs, test::qwen3_moe(), test::kQwen3Moe, true)),
            "");
  EXPECT_EQ(names_with(Treatment::Keep, test::llama(), resolve(specs, test::llama(), {"Qwen3", {}}, true)), "lm_head");
}

TEST(Resolve, LaterOriginsWin) {
  const std::vector<Override> overrides = {item("lm_head", Treatment::Keep, OriginKind::Flag),
                                           item("lm_head", Treatment::Column, OriginKind::ModelDirectory),
                                           item("lm_head", Treatment::Row, OriginKind::ConfigFile)};
  const Resolved resolved = on_llama(overrides);
  EXPECT_EQ(by_name(test::llama(), resolved), (std::map<std::string, Treatment>{{"lm_head", Treatment::Keep}}));
  EXPECT_EQ(resolved.by_module.back()->override, size_t{0});
  EXPECT_TRUE(resolved.warnings.empty());
}

TEST(Resolve, ALaterFileWinsOverAMoreSpecificEarlierOne) {
  Override first = item("model.layers.0.mlp.down_proj", Treatment::Keep, OriginKind::ConfigFile);
  Override second = item("down_proj", Treatment::Row, OriginKind::ConfigFile);
  second.origin.file = 1;
  const std::vector<Override> overrides = {second, first};
  EXPECT_EQ(kept_in_llama(overrides), "");
}

TEST(Resolve, TheMoreSpecificWinsWithinAnOrigin) {
  const std::vector<Override> overrides = {item("layers.1.mlp.down_proj", Treatment::Keep),
                                           item("layers.*.mlp.down_proj", Treatment::Row),
                                           item("down_proj", Treatment::Column), item("mlp", Treatment::Keep)};
  const Resolved resolved = on_llama(overrides);
  const auto decisions = by_name(test::llama(), resolved);
  EXPECT_EQ(decisions.at("model.layers.1.mlp.down_proj"), Treatment::Keep);
  EXPECT_EQ(decisions.at("model.layers.0.mlp.down_proj"), Treatment::Row);
  EXPECT_EQ(decisions.at("model.layers.0.mlp.up_proj"), Treatment::Keep);
  EXPECT_EQ(decisions.size(), size_t{6});
}

TEST(Resolve, ATieIsAWarningAndTheLaterHolds) {
  const Resolved resolved = on_llama({item("down_proj", Treatment::Keep), item("down_proj", Treatment::Row)});
  EXPECT_EQ(names_with(Treatment::Row, test::llama(), resolved),
            "model.layers.0.mlp.down_proj model.layers.1.mlp.down_proj");
  EXPECT_THAT(resolved.warnings,
              ElementsAre("--keep: 'down_proj' (keep) and --all-reduce: 'down_proj' (row) are equally specific about "
                          "model.layers.0.mlp.down_proj and 1 more; the later holds: row"));
}

TEST(Resolve, SayingTheSameTwiceIsNoTie) {
  EXPECT_TRUE(on_llama({item("down_proj", Treatment::Keep), item("down_proj", Treatment::Keep)}).warnings.empty());
}

TEST(Resolve, UnmatchedItemsAreWarningsWithTheNearestNames) {
  EXPECT_THAT(on_llama({item("dwn_proj", Treatment::Keep)}).warnings,
              ElementsAre("--keep: 'dwn_proj' matches no module of this model; nearest: down_proj, k_proj, o_proj"));
  EXPECT_THAT(on_llama({item("mpl.down_proj", Treatment::Keep)}).warnings,
              ElementsAre("--keep: 'mpl.down_proj' matches no module of this model; nearest: mlp.down_proj, "
                          "mlp.gate_proj, mlp.up_proj"));
  EXPECT_THAT(on_llama({item("query_key_value", Treatment::Keep)}).warnings,
              ElementsAre("--keep: 'query_key_value' matches no module of this model; it has embed_tokens, q_proj, "
                          "k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj and 1 more"));
}

TEST(Resolve, UnmatchedRegularExpressionsSeeWhatTheyAreComparedWith) {
  EXPECT_THAT(on_llama({item("re:down_proj", Treatment::Keep)}).warnings,
              ElementsAre(HasSubstr("'re:down_proj' matches no module of this model; a regular expression is compared "
                                    "with whole paths such as model.embed_tokens, model.layers.*.self_attn.q_proj")));
}

TEST(Resolve, UnmatchedItemsAreErrorsUnderStrict) {
  EXPECT_THAT(error_of([] { on_llama({item("w2", Treatment::Row)}, true); }),
              HasSubstr("--all-reduce: 'w2' matches no module of this model; "));
}

TEST(Resolve, PlansForAClassOfModelsMayNameMoreThanThereIs) {
  const std::vector<Override> plan = config(R"({"base_model_tp_plan": {"layers.*.self_attn.o_proj": "rowwise",
      "layers.*.self_attn.q_norm": "replicated_with_grad_allreduce", "layers.*.mlp.experts": "moe_tp_experts"}})");
  const Resolved resolved = on_llama(plan, true);
  EXPECT_EQ(names_with(Treatment::Row, test::llama(), resolved),
            "model.layers.0.self_attn.o_proj model.layers.1.self_attn.o_proj");
  EXPECT_TRUE(resolved.warnings.empty());
  EXPECT_THAT(on_llama(config(R"({"base_model_tp_plan": {"h.*.attn.c_proj": "rowwise"}})")).warnings,
              ElementsAre("plan.json:base_model_tp_plan: nothing in it matches a module of this model"));
}

TEST(Resolve, ExpertTreatmentsApplyToExpertsAlone) {
  EXPECT_THAT(on_llama({item("mlp", Treatment::ByExpert)}).warnings,
              ElementsAre("--all-reduce: 'mlp' names no experts, so 'by expert' does not apply"));
  const auto modules = test::qwen3_moe();
  const auto overrides = parse_config(R"({"experts": {"by_expert": "layers.0.mlp", "inside": "layers.1.mlp.experts"}})",
                                      {OriginKind::ModelDirectory, "cleave.json"})
                             .overrides;
  const auto decisions = by_name(modules, resolve(overrides, modules, test::kQwen3Moe, true));
  EXPECT_EQ(decisions.at("model.layers.0.mlp.experts.*.down_proj"), Treatment::ByExpert);
  EXPECT_EQ(decisions.at("model.layers.1.mlp.experts.*.up_proj"), Treatment::InsideExperts);
  EXPECT_EQ(decisions.size(), size_t{6});  // and not the router
}

TEST(Resolve, LinearsOfExpertsTakeEveryTreatment) {
  const auto modules = test::mixtral();
  const std::vector<Override> overrides = {item("w2", Treatment::Row), item("w1", Treatment::Column),
                                           item("experts.*.w3", Treatment::Keep)};
  const auto decisions = by_name(modules, resolve(overrides, modules, test::kMixtral, true));
  EXPECT_EQ(decisions.at("model.layers.1.block_sparse_moe.experts.*.w2"), Treatment::Row);
  EXPECT_EQ(decisions.at("model.layers.1.block_sparse_moe.experts.*.w1"), Treatment::Column);
  EXPECT_EQ(decisions.at("model.layers.1.block_sparse_moe.experts.*.w3"), Treatment::Keep);
}

TEST(Resolve, AWordForAllExpertsReachesStackedOnes) {
  const std::vector<ModuleInfo> modules = {{"layers.0.mlp.experts.gate_up_proj", ModuleInfo::Kind::Experts, 64, 176}};
  const auto overrides = config(R"({"experts": "by_expert"})");
  EXPECT_EQ(names_with(Treatment::ByExpert, modules, resolve(overrides, modules, test::kQwen3Moe, true)),
            "layers.0.mlp.experts.gate_up_proj");
}

TEST(Resolve, PlansOfTransformers5ReachTheOldNamesOfMixtralsExperts) {
  const auto plan = config(R"({"base_model_tp_plan": {"layers.*.mlp.experts.gate_up_proj": "packed_colwise",
      "layers.*.mlp.experts.down_proj": "rowwise", "layers.*.mlp.experts": "moe_tp_experts"}})");
  const auto decisions = by_name(test::mixtral(), resolve(plan, test::mixtral(), test::kMixtral, true));
  EXPECT_EQ(decisions.at("model.layers.1.block_sparse_moe.experts.*.w1"), Treatment::InsideExperts);
  EXPECT_EQ(decisions.size(), size_t{6});
}

TEST(Resolve, OfLayerSpecsTheFirstHoldsAndTheRestIsKept) {
  const Resolved resolved = on_llama(config(R"({"partition_config": {"use_default_specs": false, "layer_specs": [
      {"patterns": [".*layers\\.0\\.mlp\\.down_proj\\.weight$"], "partition_type": "skip"},
      {"patterns": [".*\\.down_proj\\.weight$", ".*\\.o_proj\\.weight$"], "partition_type": "row"},
      {"patterns": [".*\\.[qkvo]_proj\\.weight$"], "partition_type": "column"}]}})"));
  const auto decisions = by_name(test::llama(), resolved);
  EXPECT_EQ(decisions.at("model.layers.0.mlp.down_proj"), Treatment::Keep);
  EXPECT_EQ(decisions.at("model.layers.1.mlp.down_proj"), Treatment::Row);
  EXPECT_EQ(decisions.at("model.layers.1.self_attn.o_proj"), Treatment::Row);
  EXPECT_EQ(decisions.at("model.layers.1.self_attn.q_proj"), Treatment::Column);
  EXPECT_EQ(decisions.at("model.layers.1.mlp.gate_proj"), Treatment::Keep);
  EXPECT_EQ(decisions.at("lm_head"), Treatment::Keep);
  EXPECT_FALSE(decisions.count("model.embed_tokens"));
  EXPECT_TRUE(resolved.warnings.empty());
}

TEST(Resolve, TheRestOfAPartitionConfigIncludesExperts) {
  const auto decisions = by_name(test::mixtral(), resolve(config(R"({"partition_config": {"use_default_specs": false,
      "layer_specs": [{"patterns": [".*\\.experts\\.\\d+\\.w2\\.weight$"], "partition_type": "row"}]}})"),
                                                          test::mixtral(), test::kMixtral, true));
  EXPECT_EQ(decisions.at("model.layers.0.block_sparse_moe.experts.*.w2"), Treatment::Row);
  EXPECT_EQ(decisions.at("model.layers.0.block_sparse_moe.experts.*.w1"), Treatment::Keep);
}

TEST(Resolve, DefaultSpecsLeaveTheRestToThePlanner) {
  const auto decisions = by_name(test::llama(), on_llama(config(R"({"partition_config": {"layer_specs": [
      {"patterns": [".*\\.o_proj"], "partition_type": "row"}]}})")));
  EXPECT_EQ(decisions.size(), size_t{2});
}

TEST(Resolve, StrictModeOfDeepSpeedWantsASpecForEveryLinear) {
  const auto resolve_with = [](const std::string& specs) {
    return on_llama(config(R"({"partition_config": {"strict_mode": true, "layer_specs": [)" + specs + "]}}"));
  };
  EXPECT_EQ(error_of([&] { resolve_with(R"({"patterns": [".*_proj"], "partition_type": "column"})"); }),
            "plan.json:partition_config.strict_mode: no layer_specs match lm_head; add one, or leave strict_mode out");
  EXPECT_EQ(error_of([&] {
              resolve_with(R"({"patterns": [".*_proj"], "partition_type": "column"}, {"patterns": ["lm_head"]})");
            }),
            "no error");
}

TEST(Resolve, EmbeddingsAreSplitOverTheVocabularyOrTheirWidth) {
  EXPECT_EQ(names_with(Treatment::Row, test::llama(),
                       on_llama(config(R"({"tp_plan": {"embed_tokens": "embedding_rowwise"}})"))),
            "model.embed_tokens");
}

// The plan that Llama has in Transformers 5.
TEST(Resolve, TakesTheWholePlanOfLlama) {
  const Resolved resolved = on_llama(config(R"({"base_model_tp_plan": {
      "layers.*.self_attn.q_proj": "colwise", "layers.*.self_attn.k_proj": "colwise",
      "layers.*.self_attn.v_proj": "colwise", "layers.*.self_attn.o_proj": "rowwise",
      "layers.*.mlp.gate_proj": "colwise", "layers.*.mlp.up_proj": "colwise", "layers.*.mlp.down_proj": "rowwise"},
      "tp_plan": {"lm_head": "colwise_gather_output"}})"),
                                     true);
  const auto decisions = by_name(test::llama(), resolved);
  EXPECT_EQ(decisions.size(), size_t{15});
  EXPECT_EQ(names_with(Treatment::Row, test::llama(), resolved),
            "model.layers.0.self_attn.o_proj model.layers.0.mlp.down_proj model.layers.1.self_attn.o_proj "
            "model.layers.1.mlp.down_proj");
}

TEST(Resolve, AModelWithoutModulesIsNoTrouble) {
  const Resolved resolved = resolve(std::vector{item("gate", Treatment::Keep)}, {}, test::kLlama, false);
  EXPECT_TRUE(resolved.by_module.empty());
  EXPECT_EQ(resolved.warnings.size(), size_t{1});
}

}  // namespace
}  // namespace cleave::plan
