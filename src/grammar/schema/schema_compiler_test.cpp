#include "grammar/schema/schema_compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "base/testing/error_of.h"
#include "grammar/testing/grammars.h"

namespace cleave::grammar {
namespace {

using ::testing::HasSubstr;

// Verdicts of the Python package jsonschema (tests/data/grammar/check.py).
TEST(JsonSchema, AgreesWithAValidator) {
  const MappedFile file(std::string(CLEAVE_TEST_DATA) + "/grammar/schemas.json");
  const OrderedJson cases = parse_ordered_json(file.text(), "schemas.json");
  EXPECT_GT(cases.size(), 50u);
  for (const OrderedJson& test : cases) {
    const auto grammar = over_bytes(compile_json_schema(test.at("schema"), kPatient));
    for (const OrderedJson& text : test.at("valid"))
      EXPECT_TRUE(accepts(grammar, text.get<std::string>())) << test.at("name") << " " << text;
    for (const char* list : {"invalid", "refused"})
      for (const OrderedJson& text : test.at(list))
        EXPECT_FALSE(accepts(grammar, text.get<std::string>())) << test.at("name") << " " << text;
  }
}

TEST(JsonSchema, RefusesWhatItCannotDoByNameAndPlace) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {R"({"type":"array","contains":{"type":"integer"}})", "#: the keyword contains is not supported"},
      {R"({"properties":{"a":{"type":"array","uniqueItems":true}}})", "#/properties/a: uniqueItems"},
      {R"({"type":"string","format":"colour"})", "format \"colour\""},
      {R"({"$ref":"https://example.com/other.json"})", "only places of the same schema"},
      {R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}})", "refers to itself"},
      {R"({"$dynamicRef":"#x"})", "$dynamicRef"},
      {R"({"not":{"type":"array","items":{"type":"integer"}}})", "the opposite of items"},
      {R"({"type":"string","pattern":"(?=a)b"})", "lookaround"},
      {R"({"type":"number","multipleOf":0.0000000123456})", "too many digits"},
      {R"({"anyOf":[{"$ref":"#"}]})", "refers to itself"}};
  for (const auto& [text, what] : cases)
    EXPECT_THAT(error_of(ErrorKind::Unsupported, [&, &own = text] { schema(own); }), HasSubstr(what)) << text;
}

TEST(JsonSchema, NamesWhatIsMalformed) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {R"({"properties":{"a":{"type":"int"}}})", "#/properties/a: the keyword type wants names of JSON types"},
      {R"({"type":"string","minLength":-1})", "#: the keyword minLength wants a whole number"},
      {R"({"required":true})", "the keyword required wants an array of strings"},
      {R"({"$ref":"#/$defs/b"})", "leads to nothing"},
      {R"({"properties":{"a":3},"type":"object"})", "the keyword properties wants a schema"},
      {R"({"anyOf":[]})", "anyOf wants an array that is not empty"},
      {R"("a")", "a schema is an object, true or false"},
      {R"({"type":"number","minimum":"3"})", "minimum wants a number"},
      {R"({"type":"string","pattern":"("})", "( without its )"}};
  for (const auto& [text, what] : cases)
    EXPECT_THAT(error_of(ErrorKind::InvalidArgument, [&, &own = text] { schema(own); }), HasSubstr(what)) << text;
}

TEST(JsonSchema, AKeyIsWrittenOnce) {
  const auto grammar = schema(R"({"type":"object","properties":{"a":{}},"additionalProperties":{"type":"integer"}})");
  EXPECT_TRUE(accepts(grammar, R"({"a":1,"b":2,"c":3})"));
  EXPECT_FALSE(accepts(grammar, R"({"a":1,"a":2})"));
  EXPECT_FALSE(accepts(grammar, R"({"b":1,"b":2})"));
  EXPECT_FALSE(accepts(grammar, R"({"b":1,"a":2})"));
}

TEST(JsonSchema, WhiteSpaceIsBounded) {
  const auto grammar = schema(R"({"type":"object","properties":{"a":{"type":"array"}}})");
  for (const char* text : {"{\n  \"a\": [\n    1,\n\t\t2\n  ]\n}", "{ \"a\": [ 1, 2 ] }", "{ }"})
    EXPECT_TRUE(accepts(grammar, text)) << text;
  for (const char* text : {"{  }", "{\n\n}", "{\"a\" :[]}", "{\"a\":[1 ,2]}", "{\"a\":[] ,\"b\":1}", "{}\n", "\n{}"})
    EXPECT_FALSE(accepts(grammar, text)) << text;
}

}  // namespace
}  // namespace cleave::grammar
