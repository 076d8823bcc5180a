#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/overrides.h"
#include "plan/testing/modules.h"

namespace cleave::plan {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

ParsedOverrides parse(std::string_view text) {
  return parse_config(text, {OriginKind::ConfigFile, "plan.json"});
}

std::string error_for(std::string_view text) {
  return error_of([&] { parse(text); });
}

// "pattern: treatment", one for each override.
std::vector<std::string> shown(const ParsedOverrides& parsed) {
  std::vector<std::string> lines;
  for (const Override& item : parsed.overrides)
    lines.push_back(item.pattern + ": " + std::string(to_string(item.treatment)));
  return lines;
}

std::vector<std::string> origins(const ParsedOverrides& parsed) {
  std::vector<std::string> places;
  for (const Override& item : parsed.overrides) places.push_back(item.origin.where);
  return places;
}

TEST(OwnConfig, HasListsAndAWordForExperts) {
  const ParsedOverrides parsed = parse(R"({
    "all_reduce_linear_items": {"w2": "mixtral"},
    "keep_linear_items": ["gate", "lm_head"],
    "column_linear_items": "q_proj, k_proj",
    "experts": {"by_expert": ["mlp.experts"], "inside": "layers.0.mlp.experts"}
  })");
  EXPECT_THAT(shown(parsed), ElementsAre("mlp.experts: by expert", "layers.0.mlp.experts: inside experts", "w2: row",
                                         "q_proj: column", "k_proj: column", "gate: keep", "lm_head: keep"));
  EXPECT_THAT(origins(parsed), testing::Contains("plan.json:all_reduce_linear_items"));
  EXPECT_THAT(origins(parsed), testing::Contains("plan.json:experts.by_expert"));
  EXPECT_TRUE(parsed.notes.empty());
}

TEST(OwnConfig, AWordTreatsAllExpertsAlike) {
  EXPECT_THAT(shown(parse(R"({"experts": "by_expert"})")), ElementsAre("*: by expert"));
  EXPECT_EQ(error_for(R"({"experts": "whole"})"), "plan.json:experts: wanted \"by_expert\" or \"inside\", saw 'whole'");
  EXPECT_EQ(error_for(R"({"experts": 1})"), "plan.json:experts: wanted an object, saw 1");
}

TEST(OwnConfig, TakesTheNamesOfTheEnvironmentAndPythonInStrings) {
  EXPECT_THAT(shown(parse(R"({"DS_ALL_REDUCE_LINEAR_ITEMS": "{'w2':'mixtral'}", "keepLinearItems": "['gate']"})")),
              ElementsAre("w2: row", "gate: keep"));
}

TEST(OwnConfig, LongKeysDoNotGrowIntoEveryOrigin) {
  const std::string key(100000, 'k');
  const ParsedOverrides parsed = parse("{\"injection_policy\": {\"" + key + "\": [\"a\"]}}");
  EXPECT_LT(parsed.overrides[0].origin.where.size(), size_t{200});
}

TEST(OwnConfig, MisspeltKeysAndFilesWithoutOverridesAreErrors) {
  EXPECT_EQ(error_for(R"({"keep_linear_item": ["gate"]})"),
            "plan.json: unknown key 'keep_linear_item'; did you mean 'keep_linear_items'?");
  EXPECT_THAT(error_for(R"({"train_batch_size": 8})"), HasSubstr("plan.json: holds no overrides: wanted keep_linear"));
  EXPECT_THAT(error_for(R"({"text_config": {"hidden_size": 8}})"), HasSubstr("plan.json: holds no overrides"));
  EXPECT_EQ(error_for("[1]"), "plan.json: wanted an object, saw an array of 1 elements");
  EXPECT_THAT(error_for("{"), HasSubstr("plan.json: not valid JSON"));
  EXPECT_THAT(error_for(R"({"keep_linear_items": [5]})"),
              HasSubstr("plan.json:keep_linear_items: wanted names of modules, saw number"));
  EXPECT_TRUE(parse("{}").overrides.empty());
}

// The example of DeepSpeed's documentation, in a configuration of a training run.
constexpr const char* kDeepSpeed = R"({
  "train_micro_batch_size_per_gpu": 1,
  "zero_optimization": {"stage": 2},
  "bf16": {"enabled": true},
  "tensor_parallel": {
    "autotp_size": 4,
    "partition_config": {
      "use_default_specs": false,
      "layer_specs": [
        {"patterns": [".*\\.o_proj\\.weight$", ".*\\.down_proj\\.weight$"], "partition_type": "row"},
        {"patterns": [".*\\.[qkv]_proj\\.weight$"], "partition_type": "column"},
        {"patterns": [".*\\.gate_up_proj\\.weight$"], "partition_type": "column", "shape": [2, -1], "partition_dim": 0}
      ]
    }
  }
})";

TEST(DeepSpeedConfig, ReadsThePartitionConfigOfAWholeConfiguration) {
  const ParsedOverrides parsed = parse(kDeepSpeed);
  EXPECT_THAT(shown(parsed),
              ElementsAre(R"(.*\.o_proj\.weight$: row)", R"(.*\.down_proj\.weight$: row)",
                          R"(.*\.[qkv]_proj\.weight$: column)", R"(.*\.gate_up_proj\.weight$: column)", ": keep"));
  EXPECT_EQ(parsed.overrides[2].origin.where, "plan.json:tensor_parallel.partition_config.layer_specs[1]");
  EXPECT_EQ(parsed.overrides[4].scope, Override::Scope::Rest);
  EXPECT_EQ(parsed.overrides[4].origin.where, "plan.json:tensor_parallel.partition_config.use_default_specs");
  EXPECT_THAT(parsed.notes,
              ElementsAre("plan.json:tensor_parallel.autotp_size: not used; --tp sets the number of ranks"));
}

TEST(DeepSpeedConfig, ReadsSpecsWithTheirModelsShapesAndDefaults) {
  const ParsedOverrides parsed = parse(R"({"partition_config": {"strict_mode": true, "layer_specs": [
    {"patterns": [".*\\.qkv_proj\\.weight$"], "shape": [[4096, 1024, 1024], -1], "partition_dim": 0, "model_types": ["llama"]},
    {"patterns": [".*\\.gate$", ".*\\.router$"], "partition_type": "SKIP", "grad_allreduce": true},
    {"patterns": ".*lm_head\\.weight$", "partition_type": "column", "gather_output": true},
    {"patterns": [".*\\.experts\\..*\\.w2\\.weight$"], "partition_type": "row", "shape": [8, -1, 14336], "partition_dim": 2}
  ]}})");
  EXPECT_THAT(shown(parsed),
              ElementsAre(R"(.*\.qkv_proj\.weight$: column)", R"(.*\.gate$: keep)", R"(.*\.router$: keep)",
                          R"(.*lm_head\.weight$: column)", R"(.*\.experts\..*\.w2\.weight$: row)", ": keep"));
  EXPECT_THAT(parsed.overrides[0].models, ElementsAre("llama"));
  EXPECT_TRUE(parsed.overrides[0].exact_models);
  EXPECT_EQ(parsed.overrides[5].scope, Override::Scope::EveryLinear);
}

TEST(DeepSpeedConfig, TheListOfSpecsMayStandAlone) {
  EXPECT_THAT(shown(parse(R"({"layer_specs": [{"patterns": ["lm_head"], "partition_type": "skip"}]})")),
              ElementsAre("lm_head: keep"));
}

// What a spec, as the rest of an object, is refused with.
std::string spec_error(const std::string& spec) {
  return error_for("{\"layer_specs\": [{" + spec + "}]}");
}

TEST(DeepSpeedConfig, RefusesWhatDeepSpeedRefuses) {
  const std::string patterns = "\"patterns\": [\"x\"], ";
  EXPECT_EQ(spec_error(patterns + R"("partition_type": "diagonal")"),
            "plan.json:layer_specs[0].partition_type: wanted row, column or skip, saw 'diagonal'");
  EXPECT_EQ(spec_error(patterns + R"("shape": [[2, 1], [3]])"),
            "plan.json:layer_specs[0].shape[1]: wanted one size: only dimension 0 is partitioned, saw an array of 1 "
            "elements");
  EXPECT_EQ(spec_error(patterns + R"("shape": [[], -1])"),
            "plan.json:layer_specs[0].shape[0]: wanted positive sizes, saw an array of 0 elements");
  EXPECT_THAT(spec_error(patterns + R"("shape": [[3, [1]], -1])"), HasSubstr("shape[0]: wanted positive sizes"));
  EXPECT_EQ(spec_error(patterns + R"("shape": [0, -1])"),
            "plan.json:layer_specs[0].shape[0]: wanted a positive size, -1 or an array of sizes, saw 0");
  EXPECT_EQ(spec_error(patterns + R"("shape": [3, -1], "partition_dim": 2)"),
            "plan.json:layer_specs[0].partition_dim: wanted a dimension below 2, saw 2");
  EXPECT_EQ(spec_error(patterns + R"("partition_dim": -1)"),
            "plan.json:layer_specs[0].partition_dim: wanted a dimension from 0, saw -1");
  EXPECT_EQ(spec_error(patterns + R"("gather_output": "yes")"),
            "plan.json:layer_specs[0].gather_output: wanted true or false, saw 'yes'");
}

TEST(DeepSpeedConfig, RefusesSpecsThatWouldDoNothingOrAnotherThing) {
  EXPECT_THAT(spec_error(R"("pattern": ["x"])"),
              HasSubstr("plan.json:layer_specs[0]: unknown key 'pattern'; known are patterns, partition_type"));
  EXPECT_THAT(spec_error(R"("partition_type": "row")"), HasSubstr("layer_specs[0]: wanted \"patterns\""));
  EXPECT_THAT(spec_error(R"("patterns": [])"), HasSubstr("layer_specs[0].patterns: wanted regular expressions"));
  EXPECT_EQ(spec_error(R"("patterns": ["x"], "partition_type": "row", "shape": [3, -1], "partition_dim": 0)"),
            "plan.json:layer_specs[0]: partition_type row does not cut dimension 0 of 2, which holds output features; "
            "change partition_type or partition_dim");
}

TEST(DeepSpeedConfig, WithoutAShapePartitionTypeHoldsAsInDeepSpeed) {
  const ParsedOverrides parsed = parse(R"({"layer_specs": [{"patterns": ["x"], "partition_dim": 1}]})");
  EXPECT_THAT(shown(parsed), ElementsAre("x: column"));
  EXPECT_THAT(parsed.notes, ElementsAre("plan.json:layer_specs[0]: partition_type column does not cut dimension 1 of "
                                        "2, which holds input features; partition_type holds"));
}

TEST(DeepSpeedConfig, ReadsInjectionPolicies) {
  const ParsedOverrides parsed = parse(R"json({
    "tensor_parallel": {"tp_size": 2},
    "injection_policy": {"T5Block": ["SelfAttention.o", "EncDecAttention.o", "DenseReluDense.wo"],
                         "BertLayer": "('output.dense',)", "OtherBlock": "out_proj"}})json");
  EXPECT_THAT(shown(parsed), ElementsAre("output.dense: row", "out_proj: row", "SelfAttention.o: row",
                                         "EncDecAttention.o: row", "DenseReluDense.wo: row"));
  EXPECT_EQ(parsed.overrides[0].origin.where, "plan.json:injection_policy.BertLayer");
}

TEST(DeepSpeedConfig, SaysThatPresetsAreNotUsed) {
  EXPECT_THAT(parse(R"({"tensor_parallel": {"preset_model": "llama"}})").notes,
              ElementsAre(HasSubstr("plan.json:tensor_parallel.preset_model: not used")));
}

TEST(TransformersConfig, MapsEveryStyleThatCutsOrKeeps) {
  EXPECT_THAT(
      shown(parse(R"({"tp_plan": {
      "a.b0": "colwise", "a.b1": "colwise_rep", "a.b2": "colwise_gather_output", "a.b3": "packed_colwise",
      "a.b4": "local_colwise", "a.b5": "embedding_colwise"}})")),
      ElementsAre("a.b0: column", "a.b1: column", "a.b2: column", "a.b3: column", "a.b4: column", "a.b5: column"));
  EXPECT_THAT(shown(parse(R"({"tp_plan": {
      "a.b0": "rowwise", "a.b1": "rowwise_rep", "a.b2": "rowwise_split_input", "a.b3": "packed_rowwise",
      "a.b4": "local_rowwise", "a.b5": "local_packed_rowwise", "a.b6": "embedding_rowwise",
      "a.b7": "vocab_parallel_rowwise"}})")),
              ElementsAre("a.b0: row", "a.b1: row", "a.b2: row", "a.b3: row", "a.b4: row", "a.b5: row", "a.b6: row",
                          "a.b7: row"));
  EXPECT_THAT(shown(parse(R"({"tp_plan": {
      "a.b0": "replicate", "a.b1": "mla_kv_a_proj", "a.b2": "ep_router", "a.b3": "replicated_with_grad_allreduce"}})")),
              ElementsAre("a.b0: keep", "a.b1: keep", "a.b2: keep", "a.b3: keep"));
}

TEST(TransformersConfig, NotesStylesWithoutAMeaningHere) {
  const ParsedOverrides parsed = parse(R"({"tp_plan": {"norm.weight": "sequence_parallel",
      "layers.*.input_layernorm.weight": "sequence_parallel", "layers.*.mlp": "gather"}})");
  EXPECT_TRUE(parsed.overrides.empty());
  EXPECT_THAT(parsed.notes,
              testing::UnorderedElementsAre(
                  "plan.json:tp_plan: style 'sequence_parallel' (2 entries) has no effect here: norms are whole on "
                  "every rank, and tokens are not split",
                  "plan.json:tp_plan: style 'gather' (1 entry) has no effect here: exchanges between ranks follow from "
                  "how linears are split"));
}

// As DeepSeek-V3 and Qwen3-MoE have it in Transformers 5: experts are stacked, named like parameters.
TEST(TransformersConfig, StackedExpertsAreEntriesAboutTheMixture) {
  const ParsedOverrides parsed = parse(R"({"base_model_tp_plan": {
      "layers.*.mlp.experts.gate_up_proj": "packed_colwise", "layers.*.mlp.experts.down_proj": "rowwise",
      "layers.*.mlp.experts": "moe_tp_experts", "layers.*.mlp.shared_experts.down_proj": "rowwise"}})");
  EXPECT_THAT(shown(parsed),
              ElementsAre("layers.*.mlp.experts: inside experts", "layers.*.mlp.shared_experts.down_proj: row"));
  EXPECT_TRUE(parsed.overrides[0].optional);
  EXPECT_THAT(shown(parse(R"({"ep_plan": {"layers.*.mlp.experts.gate_up_proj_bias": "grouped_gemm",
      "layers.*.mlp.experts.down_proj": "grouped_gemm", "layers.*.mlp.experts": "ep_dispatch_experts"}})")),
              ElementsAre("layers.*.mlp.experts: by expert"));
}

// Llama 4's experts lie [in, out] in memory, so Transformers calls cutting their inputs "colwise".
TEST(TransformersConfig, StackedExpertsAreCutInsideWhateverTheirLayout) {
  EXPECT_THAT(shown(parse(R"({"tp_plan": {"layers.*.feed_forward.experts.gate_up_proj": "packed_rowwise",
      "layers.*.feed_forward.experts.down_proj": "colwise"}})")),
              ElementsAre("layers.*.feed_forward.experts: inside experts"));
}

TEST(TransformersConfig, ReadsAModelsOwnConfigurationAndBarePlans) {
  EXPECT_THAT(shown(parse(R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64,
      "base_model_tp_plan": {"layers.*.self_attn.o_proj": "rowwise"}, "tp_plan": {"lm_head": "colwise_rep"}})")),
              ElementsAre("layers.*.self_attn.o_proj: row", "lm_head: column"));
  EXPECT_THAT(shown(parse(R"({"text_config": {"base_model_tp_plan": {"layers.*.mlp.up_proj": "colwise"}}})")),
              ElementsAre("layers.*.mlp.up_proj: column"));
  EXPECT_THAT(shown(parse(R"({"layers.*.mlp.up_proj": "colwise", "lm_head": "replicate"})")),
              ElementsAre("layers.*.mlp.up_proj: column", "lm_head: keep"));
  EXPECT_THAT(parse(R"({"tp_plan": "auto"})").notes, ElementsAre(HasSubstr("\"auto\" is what happens without it")));
  EXPECT_THAT(parse(R"({"base_model_ep_plan": {"layers.*.mlp.experts": "ep_dispatch_experts"}})").notes,
              ElementsAre(HasSubstr("plan.json:base_model_ep_plan: not used")));
}

TEST(TransformersConfig, UnknownStylesAreErrorsWithTheNearest) {
  EXPECT_EQ(error_for(R"({"tp_plan": {"lm_head": "colwize"}})"),
            "plan.json:tp_plan.lm_head: Transformers has no style 'colwize'; near it: colwise, rowwise, colwise_rep");
  EXPECT_EQ(error_for(R"({"tp_plan": {"lm_head": 1}})"), "plan.json:tp_plan.lm_head: wanted a string, saw 1");
  EXPECT_EQ(error_for(R"({"tp_plan": []})"), "plan.json:tp_plan: wanted an object, saw an array of 0 elements");
}

}  // namespace
}  // namespace cleave::plan
