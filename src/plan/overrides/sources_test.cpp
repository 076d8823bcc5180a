#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/overrides.h"
#include "plan/testing/modules.h"

namespace cleave::plan {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

// "where: pattern" of all that a user wrote.
std::vector<std::string> written(const ParsedOverrides& all) {
  std::vector<std::string> lines;
  for (const Override& item : all.overrides)
    if (item.origin.kind != OriginKind::BuiltIn) lines.push_back(item.origin.where + ": " + item.pattern);
  return lines;
}

TEST(OverrideSources, AreCollectedInTheOrderOfTheirPrecedence) {
  OverrideSources sources;
  sources.flags = {{"--keep", "lm_head"}, {"--all-reduce", "w2"}, {"--column", "q_proj"}};
  sources.environment = {{"DS_KEEP_LINEAR_ITEMS", "['gate']"}, {"allReduceLinearItems", "{'w2':'mixtral'}"}};
  sources.configs = {{"a.json", R"({"keep_linear_items": "one"})"}, {"b.json", R"({"keep_linear_items": "two"})"}};
  sources.model_directory = {"cleave.json", R"({"keep_linear_items": "zero"})"};
  const ParsedOverrides all = collect_overrides(sources);
  EXPECT_THAT(written(all),
              ElementsAre("cleave.json:keep_linear_items: zero", "a.json:keep_linear_items: one",
                          "b.json:keep_linear_items: two", "allReduceLinearItems: w2", "DS_KEEP_LINEAR_ITEMS: gate",
                          "--keep: lm_head", "--all-reduce: w2", "--column: q_proj"));
  EXPECT_EQ(all.overrides.front().origin.kind, OriginKind::BuiltIn);
  EXPECT_EQ(all.overrides.back().treatment, Treatment::Column);
  const auto of = [&](const std::string& pattern) {
    return *std::find_if(all.overrides.begin(), all.overrides.end(),
                         [&](const Override& item) { return item.pattern == pattern; });
  };
  EXPECT_LT(of("one").origin.file, of("two").origin.file);
  EXPECT_EQ(of("gate").origin.kind, OriginKind::Environment);
}

TEST(OverrideSources, NameTheVariablesToLookFor) {
  EXPECT_THAT(environment_variables(),
              ElementsAre("allReduceLinearItems", "DS_ALL_REDUCE_LINEAR_ITEMS", "keepLinearItems",
                          "DS_KEEP_LINEAR_ITEMS", "DS_REMOVED_COMMON_REDUCE_LINEAR_KEYS"));
}

TEST(OverrideSources, EmptyVariablesSayNothing) {
  OverrideSources sources;
  sources.environment = {{"DS_KEEP_LINEAR_ITEMS", ""}, {"DS_REMOVED_COMMON_REDUCE_LINEAR_KEYS", ""}};
  EXPECT_TRUE(written(collect_overrides(sources)).empty());
}

TEST(OverrideSources, BuiltInItemsHoldUntilAUserSaysOtherwise) {
  const std::vector<ModuleInfo> modules = {{"model.layers.0.mlp.shared_expert_gate", ModuleInfo::Kind::Linear, 64, 1}};
  const ModelNames names = {"qwen2_moe", {"Qwen2MoeForCausalLM"}};
  OverrideSources sources;
  const auto decided = [&] {
    const ParsedOverrides all = collect_overrides(sources);
    return test::by_name(modules, resolve(all.overrides, modules, names, true));
  };
  EXPECT_EQ(decided().at("model.layers.0.mlp.shared_expert_gate"), Treatment::Keep);
  sources.environment = {{"DS_REMOVED_COMMON_REDUCE_LINEAR_KEYS", "['shared_expert_gate']"}};
  EXPECT_TRUE(decided().empty());
  sources.environment = {{"DS_ALL_REDUCE_LINEAR_ITEMS", "{'shared_expert_gate': 'qwen2_moe'}"}};
  EXPECT_EQ(decided().at("model.layers.0.mlp.shared_expert_gate"), Treatment::Row);
}

TEST(OverrideSources, BuiltInItemsAreNoTroubleForOtherModels) {
  const ParsedOverrides all = collect_overrides({});
  EXPECT_TRUE(resolve(all.overrides, test::llama(), test::kLlama, true).warnings.empty());
}

TEST(OverrideSources, RemovingWhatIsNotBuiltInIsNoted) {
  OverrideSources sources;
  sources.environment = {{"DS_REMOVED_COMMON_REDUCE_LINEAR_KEYS", "['o_proj']"}};
  EXPECT_THAT(collect_overrides(sources).notes,
              ElementsAre("DS_REMOVED_COMMON_REDUCE_LINEAR_KEYS: 'o_proj' is not built in, so there is nothing to "
                          "remove"));
}

TEST(OverrideSources, ErrorsNameTheSource) {
  OverrideSources sources;
  sources.flags = {{"--keep", "['gate'"}};
  EXPECT_THAT(error_of([&] { collect_overrides(sources); }), HasSubstr("--keep: wanted ',' or ']' at column 8"));
  sources.flags = {{"--drop", "gate"}};
  EXPECT_EQ(error_of([&] { collect_overrides(sources); }), "--drop is no flag for overrides");
  sources.flags.clear();
  sources.environment = {{"PATH", "/bin"}};
  EXPECT_EQ(error_of([&] { collect_overrides(sources); }), "PATH holds no overrides");
}

}  // namespace
}  // namespace cleave::plan
