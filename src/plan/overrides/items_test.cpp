#include "plan/overrides/items.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/testing/modules.h"

namespace cleave::plan {
namespace {

using test::error_of;
using testing::ElementsAre;

const Origin kVariable = {OriginKind::Environment, "DS_KEEP_LINEAR_ITEMS"};

// "name" or "name(model,model)", one for each item.
std::vector<std::string> shown(const std::vector<Override>& items) {
  std::vector<std::string> names;
  for (const Override& item : items) {
    std::string models;
    for (const std::string& model : item.models) models += (models.empty() ? "" : ",") + model;
    names.push_back(models.empty() ? item.pattern : item.pattern + "(" + models + ")");
  }
  return names;
}

std::vector<std::string> parse(std::string_view text) {
  return shown(parse_items(text, Treatment::Keep, kVariable));
}

std::string error_for(std::string_view text) {
  return error_of([&] { parse_items(text, Treatment::Keep, kVariable); });
}

TEST(Items, TakesPythonDictionariesOfNamesAndModels) {
  EXPECT_THAT(parse("{'w2':'mixtral'}"), ElementsAre("w2(mixtral)"));
  EXPECT_THAT(parse("{'w2':'mixtral','gate':'mixtral,qwen2_moe'}"),
              ElementsAre("gate(mixtral,qwen2_moe)", "w2(mixtral)"));
  EXPECT_THAT(parse(R"({"self_attention.dense": "falcon, ChatGLM,Phi",})"),
              ElementsAre("self_attention.dense(falcon,ChatGLM,Phi)"));
  EXPECT_THAT(parse("{'gate': ['mixtral', 'qwen2_moe'], 'lm_head': ()}"),
              ElementsAre("gate(mixtral,qwen2_moe)", "lm_head"));
  EXPECT_THAT(parse("{'o_proj': None, 'down_proj': '', 'w2': True}"), ElementsAre("down_proj", "o_proj", "w2"));
}

TEST(Items, TakesListsTuplesSetsAndSingleNames) {
  EXPECT_THAT(parse("['o_proj']"), ElementsAre("o_proj"));
  EXPECT_THAT(parse("[\"o_proj\", 'mlp.down_proj',]"), ElementsAre("o_proj", "mlp.down_proj"));
  EXPECT_THAT(parse("('o_proj', 'w2')"), ElementsAre("o_proj", "w2"));
  EXPECT_THAT(parse("('o_proj',)"), ElementsAre("o_proj"));
  EXPECT_THAT(parse("{'o_proj', 'w2'}"), ElementsAre("o_proj", "w2"));
  EXPECT_THAT(parse("{'o_proj'}"), ElementsAre("o_proj"));
  EXPECT_THAT(parse("'o_proj'"), ElementsAre("o_proj"));
  EXPECT_THAT(parse("['gate', {'w2': 'mixtral'}, ['lm_head']]"), ElementsAre("gate", "w2(mixtral)", "lm_head"));
  EXPECT_THAT(parse("[]"), ElementsAre());
  EXPECT_THAT(parse("{}"), ElementsAre());
}

TEST(Items, TakesBareLists) {
  EXPECT_THAT(parse("gate"), ElementsAre("gate"));
  EXPECT_THAT(parse(" gate, lm_head ,\n"), ElementsAre("gate", "lm_head"));
  EXPECT_THAT(parse("layers.*.mlp.down_proj"), ElementsAre("layers.*.mlp.down_proj"));
  EXPECT_THAT(parse(""), ElementsAre());
}

TEST(Items, TakesQuotesThatAFileOfVariablesKept) {
  EXPECT_THAT(parse(R"("{'w2':'mixtral'}")"), ElementsAre("w2(mixtral)"));
  EXPECT_THAT(parse(R"('["o_proj"]')"), ElementsAre("o_proj"));
}

TEST(Items, RegularExpressionsKeepTheirCommasAndBackslashes) {
  EXPECT_THAT(parse(R"(re:.*\.w{1,2})"), ElementsAre(R"(re:.*\.w{1,2})"));
  EXPECT_THAT(parse(R"(['re:.*\.gate', r're:\d', "re:\\d"])"), ElementsAre(R"(re:.*\.gate)", R"(re:\d)", R"(re:\d)"));
}

TEST(Items, StringsHaveTheEscapesOfPythonAndJson) {
  EXPECT_THAT(parse(R"(['re:a\x2db', "re:\u00e9\/", 're:\'', 're:\q'])"),
              ElementsAre("re:a-b", "re:\xC3\xA9/", "re:'", "re:\\q"));
}

TEST(Items, NamesOfTensorsAndChildrenMeanTheirModule) {
  EXPECT_THAT(parse("lm_head.weight, .o_proj, q_proj.bias"), ElementsAre("lm_head", "o_proj", "q_proj"));
}

TEST(Items, ErrorsPointAtTheCharacter) {
  EXPECT_EQ(error_for("{'w2':'mixtral' 'gate':'mixtral'}"),
            "DS_KEEP_LINEAR_ITEMS: wanted ',' or '}' at column 17, saw ''' in {'w2':'mixtral' 'gate':'mixtral'}");
  EXPECT_EQ(error_for("['o_proj'"),
            "DS_KEEP_LINEAR_ITEMS: wanted ',' or ']' at column 10, saw the end of the text in ['o_proj'");
  EXPECT_EQ(error_for("['o_proj]"), "DS_KEEP_LINEAR_ITEMS: wanted a closing ' at column 2, saw ''' in ['o_proj]");
  EXPECT_EQ(error_for("{w2:'mixtral'}"),
            "DS_KEEP_LINEAR_ITEMS: wanted a name in quotes, a list or a dictionary at column 2, saw 'w' in "
            "{w2:'mixtral'}");
  EXPECT_EQ(error_for("['o_proj'] x"),
            "DS_KEEP_LINEAR_ITEMS: wanted the end of the text at column 12, saw 'x' in ['o_proj'] x");
  EXPECT_EQ(error_for("{'a':'b', 'c'}"), "DS_KEEP_LINEAR_ITEMS: wanted ':' at column 14, saw '}' in {'a':'b', 'c'}");
  EXPECT_EQ(error_for("{['a']:'b'}"),
            "DS_KEEP_LINEAR_ITEMS: wanted a name in quotes before ':' at column 2, saw '[' in {['a']:'b'}");
  EXPECT_EQ(error_for("gate,,lm_head"), "DS_KEEP_LINEAR_ITEMS: wanted a name at column 6, saw ',' in gate,,lm_head");
  EXPECT_EQ(error_for("gate lm_head"),
            "DS_KEEP_LINEAR_ITEMS: wanted a name, or ',' between two at column 5, saw ' ' in gate lm_head");
  EXPECT_EQ(error_for("gate,{'w2'}"),
            "DS_KEEP_LINEAR_ITEMS: wanted a name, or ',' between two at column 6, saw '{' in gate,{'w2'}");
}

TEST(Items, ColumnsCountCharactersNotBytes) {
  EXPECT_THAT(error_for("['\xC3\xA9' x"), testing::HasSubstr("at column 6, saw 'x' in ['\\xc3\\xa9' x"));
}

TEST(Items, ErrorsShowOnlyTheNeighbourhoodOfALongText) {
  const std::string text = "['" + std::string(300, 'a') + "' 'b', '" + std::string(300, 'c') + "']";
  const std::string error = error_for(text);
  EXPECT_THAT(error, testing::HasSubstr("at column 305, saw ''' in ...aaa"));
  EXPECT_LT(error.size(), size_t{200});
}

TEST(Items, RefusesWhatIsNoName) {
  EXPECT_THAT(error_for("['a b']"), testing::HasSubstr("'a b' is no name of modules: it has a blank"));
  EXPECT_THAT(error_for("['a..b']"), testing::HasSubstr("a segment between dots is empty"));
  EXPECT_THAT(error_for("['a.']"), testing::HasSubstr("a segment between dots is empty"));
  EXPECT_THAT(error_for("['']"), testing::HasSubstr("it is empty"));
  EXPECT_THAT(error_for("['re:']"), testing::HasSubstr("nothing follows re:"));
  EXPECT_THAT(error_for("['gate,lm_head']"), testing::HasSubstr("put every name in quotes of its own"));
  EXPECT_THAT(error_for("[None]"), testing::HasSubstr("wanted names of modules, saw null"));
  EXPECT_THAT(error_for("{'a': False}"), testing::HasSubstr("wanted names of models"));
  EXPECT_THAT(error_for("['" + std::string(2000, 'a') + "']"), testing::HasSubstr("longer than 1024 bytes"));
}

TEST(Items, DepthAndSizeAreBounded) {
  EXPECT_THAT(error_for(std::string(100, '[')), testing::HasSubstr("nesting of no more than 16 levels"));
  EXPECT_THAT(error_for(std::string(100, '{')), testing::HasSubstr("nesting of no more than 16 levels"));
  EXPECT_THAT(error_for(std::string(1 << 17, 'a')), testing::HasSubstr("is longer than 65536"));
  std::string models = "m";
  for (int i = 0; i < 64; ++i) models += ",m";
  EXPECT_THAT(error_for("{'a':'" + models + "'}"), testing::HasSubstr("more than 64 models"));
  EXPECT_THAT(error_for("{'a':'" + std::string(200, 'm') + "'}"), testing::HasSubstr("longer than 128 bytes"));
  std::string many = "a";
  for (size_t i = 0; i < kMaxOverrides; ++i) many += ",a";
  EXPECT_THAT(error_for(many), testing::HasSubstr("more than 4096 names"));
}

TEST(Items, RememberWhoSaidWhat) {
  const std::vector<Override> items = parse_items("gate", Treatment::Row, kVariable);
  ASSERT_EQ(items.size(), size_t{1});
  EXPECT_EQ(items[0].treatment, Treatment::Row);
  EXPECT_EQ(items[0].origin.kind, OriginKind::Environment);
  EXPECT_EQ(items[0].origin.where, "DS_KEEP_LINEAR_ITEMS");
}

}  // namespace
}  // namespace cleave::plan
