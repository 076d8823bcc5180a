#include "response/call_grammar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "response/find_format.h"
#include "response/literal.h"
#include "response/response_parser.h"
#include "response/testing/templates.h"

namespace cleave::response {
namespace {

const char* const kTools = R"([{"name": "f", "parameters": {"type": "object", "properties": {
  "s": {"type": "string"}, "n": {"type": "integer"}, "e": {"enum": ["a", "b"]}, "o": {"$ref": "#/$defs/t"}},
  "required": ["s"], "$defs": {"t": {"type": "object"}}}}, {"name": "g"}])";

ResponseFormat format_of(const TestTemplate& test) {
  return find_response_format(text::ChatFormat({{"default", test.source}}, Json::object(), "model"));
}

// A syntax as people write grammars: literals in quotes, {schema}, /expression/, ~"mark".
std::string shown(const SyntaxPiece& piece) {
  std::string text;
  for (const SyntaxPiece& part : piece.parts) {
    if (!text.empty() && piece.kind == SyntaxPiece::Kind::Choice) text += "|";
    text += shown(part);
  }
  switch (piece.kind) {
    case SyntaxPiece::Kind::Literal:
      return piece.text;
    case SyntaxPiece::Kind::Schema:
      return fmt::format("{{{}}}", piece.schema.value("type", std::string("?")));
    case SyntaxPiece::Kind::Regex:
      return fmt::format("/{}/", piece.text);
    case SyntaxPiece::Kind::Free:
      return fmt::format("~{}", piece.text);
    case SyntaxPiece::Kind::Choice:
      return fmt::format("({})", text);
    case SyntaxPiece::Kind::Repeat:
      return fmt::format("({}){}", text, piece.at_most_once ? "?" : "*");
    case SyntaxPiece::Kind::Sequence:
      break;
  }
  return text;
}

std::string grammar(const TestTemplate& test, const std::vector<std::string>& names, bool several = false) {
  const std::optional<CallGrammar> found = call_grammar(format_of(test), ToolSchemas(kTools), names, several);
  return found ? found->opening + " / " + shown(found->rest) : "none";
}

TEST(CallGrammar, PutsNamesAndSchemasBetweenTheMarks) {
  EXPECT_EQ(grammar(kHermes, {"g"}), "<tool_call> / \n({\"name\": \"g\", \"arguments\": {object}})\n</tool_call>");
  EXPECT_EQ(grammar(kNamed, {"f", "g"}),
            "[TOOL_CALLS] / (f[CALL_ID]/[a-zA-Z0-9]{9}/[ARGS]{object}|g[CALL_ID]/[a-zA-Z0-9]{9}/[ARGS]{object})");
  EXPECT_EQ(grammar(kNumbered, {"g"}),
            "<|calls_begin|> / "
            "<|call_begin|>(functions.g:/[0-9]{1,3}/<|call_argument_begin|>{object})<|call_end|><|calls_end|>");
  EXPECT_EQ(grammar(kChannels, {"g"}), " to=functions. / (g<|channel|>commentary json<|message|>{object})");
  EXPECT_EQ(grammar(kBare, {"g"}), " / ({\"name\": \"g\", \"parameters\": {object}})");
}

TEST(CallGrammar, WritesEachArgumentBetweenItsMarks) {
  EXPECT_EQ(grammar(kTags, {"f"}),
            "<tool_call> / \n<function=(f>\n<parameter=s>\n~\n</parameter>(\n<parameter=n>\n{integer}\n</parameter>)?"
            "(\n<parameter=e>\n(a\n</parameter>|b\n</parameter>))?(\n<parameter=o>\n{?}\n</parameter>)?\n</"
            "function>)\n</tool_call>");
  EXPECT_EQ(grammar(kPython, {"f"}), " / [(f(s={string}(, n={integer})?(, e={?})?(, o={?})?))]");
  EXPECT_EQ(grammar(kPython, {"g"}), " / [(g())]");
}

TEST(CallGrammar, RepeatsCallsWhereThereMayBeSeveral) {
  EXPECT_EQ(grammar(kList, {"g"}, true),
            "[TOOL_CALLS] /  [({\"name\": \"g\", \"arguments\": {object}, \"id\": \"/[a-zA-Z0-9]{9}/\"})"
            "(, ({\"name\": \"g\", \"arguments\": {object}, \"id\": \"/[a-zA-Z0-9]{9}/\"}))*]");
  EXPECT_EQ(grammar(kBare, {"g"}, true), grammar(kBare, {"g"}, false));
}

TEST(CallGrammar, IsNoneWhereThereAreNoCalls) {
  EXPECT_EQ(grammar({"plain", "{% for m in messages %}{{ m.content }}{% endfor %}"}, {"f"}), "none");
  EXPECT_EQ(grammar(kHermes, {}), "none");
}

}  // namespace
}  // namespace cleave::response
