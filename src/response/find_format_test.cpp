#include "response/find_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "response/check_format.h"
#include "response/explain_format.h"
#include "response/testing/templates.h"

namespace cleave::response {
namespace {

using ::testing::HasSubstr;
using Outcome = FormatCheck::Outcome;

text::ChatFormat chat(const std::string& source) {
  return {{{"default", source}}, Json::object(), "model"};
}

ResponseFormat format_of(const TestTemplate& test) {
  return find_response_format(chat(test.source));
}

// What does not read back as it was written, and what was read back.
struct Results {
  std::string faults;
  std::set<std::string> same;
};
Results check(const TestTemplate& test) {
  const text::ChatFormat format = chat(test.source);
  Results results;
  for (const FormatCheck& one : check_format(format, find_response_format(format))) {
    if (one.outcome == Outcome::Same) results.same.insert(one.what);
    if (one.outcome == Outcome::Differs || one.outcome == Outcome::DiffersCut)
      results.faults += one.what + "\n  written " + one.answer + "\n  read " + one.read + "\n";
  }
  return results;
}

class EveryTemplate : public ::testing::TestWithParam<TestTemplate> {};

TEST_P(EveryTemplate, ReadsItsOwnCallsBackWholeAndInPieces) {
  const Results results = check(GetParam());
  EXPECT_EQ(results.faults, "") << explain_format(format_of(GetParam()));
  for (const char* what : {"one call", "nested values", "strings with escapes", "content"})
    EXPECT_EQ(results.same.count(what), 1U) << what << "\n" << explain_format(format_of(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(FindFormat, EveryTemplate,
                         ::testing::Values(kHermes, kThinkingPrompt, kTags, kTypedTags, kList, kNamed, kNumbered,
                                           kFenced, kPython, kQuotes, kBare, kWrapped, kChannels),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST(FindFormat, FindsReasoning) {
  for (const TestTemplate& test : {kHermes, kThinkingPrompt, kWrapped, kChannels}) {
    const Results results = check(test);
    EXPECT_EQ(results.same.count("reasoning and content"), 1U) << test.name;
    EXPECT_EQ(results.same.count("reasoning and a call"), 1U) << test.name;
  }
  EXPECT_FALSE(format_of(kHermes).prompt_opens_reasoning);
  EXPECT_TRUE(format_of(kThinkingPrompt).prompt_opens_reasoning);
  EXPECT_EQ(format_of(kChannels).traits.reasoning_key, "thinking");
  EXPECT_EQ(format_of(kTags).reasoning_close, "");
}

TEST(FindFormat, FindsReasoningThatATemplateOnlyTakesAway) {
  const ResponseFormat format = format_of({"strips", R"({%- for m in messages %}[{{ m.role }}]
{% if m.role == 'assistant' %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}
{% endfor %}{% if add_generation_prompt %}[assistant]
<think>
{% endif %})"});
  EXPECT_EQ(format.reasoning_open, "<think>\n");
  EXPECT_TRUE(format.prompt_opens_reasoning);
}

TEST(FindFormat, TellsMarksOfSectionsFromThoseOfCalls) {
  const CallSyntax numbered = format_of(kNumbered).calls;
  EXPECT_EQ(numbered.section_open, "<|calls_begin|>");
  EXPECT_EQ(numbered.open, "<|call_begin|>");
  EXPECT_EQ(numbered.close, "<|call_end|>");
  EXPECT_EQ(numbered.section_close, "<|calls_end|>");
  const CallSyntax list = format_of(kList).calls;
  EXPECT_EQ(list.section_open, "[TOOL_CALLS] [");
  EXPECT_EQ(list.open, "");
  EXPECT_EQ(list.separator, ", ");
  EXPECT_EQ(list.keys.id, "id");
  EXPECT_TRUE(list.keys.id_is_last);
  EXPECT_TRUE(format_of(kBare).calls.is_bare());
  EXPECT_FALSE(format_of(kBare).calls.several);
}

TEST(FindFormat, FindsHowTheTemplateWantsMessages) {
  EXPECT_TRUE(format_of(kList).traits.ids_are_short);
  EXPECT_FALSE(format_of(kNamed).traits.ids_are_short);
  EXPECT_TRUE(format_of(kHermes).traits.arguments_are_objects);
  const ResponseFormat text = format_of({"text", R"({%- for m in messages %}<{{ m.role }}>{{ m.content }}
{%- for c in m.tool_calls %}<call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments + '' }}}</call>
{%- endfor %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %})"});
  EXPECT_EQ(text.calls.kind, CallKind::Object);
  EXPECT_FALSE(text.traits.arguments_are_objects);
}

TEST(FindFormat, TakesCallsFromTheInstructionsOfATemplateThatWritesNone) {
  const CallSyntax calls = format_of({"instructs", R"({%- if tools %}<tools>{{ tools | tojson }}</tools>
Call with <tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>.{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %})"})
                               .calls;
  EXPECT_EQ(calls.kind, CallKind::Object);
  EXPECT_EQ(calls.open, "<tool_call>\n");
  EXPECT_EQ(calls.keys.arguments, "arguments");
}

TEST(FindFormat, TakesATemplateWithoutToolsForText) {
  const ResponseFormat plain =
      format_of({"plain", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"});
  EXPECT_EQ(plain.calls.kind, CallKind::None);
  EXPECT_EQ(plain.source, FormatSource::Nowhere);
  const ResponseFormat refuses =
      format_of({"refuses",
                 "{% for m in messages %}{% if m.tool_calls %}{{ raise_exception('no tools here') }}{% endif %}"
                 "{{ m.content }}{% endfor %}"});
  EXPECT_EQ(refuses.calls.kind, CallKind::None);
  ASSERT_FALSE(refuses.notes.empty());
  EXPECT_THAT(refuses.notes[0], HasSubstr("no tools here"));
  EXPECT_EQ(format_of({"nothing", "{{ raise_exception('never') }}"}).source, FormatSource::Nowhere);
}

TEST(ExplainFormat, ShowsWhatWasFound) {
  const std::string text = explain_format(format_of(kTypedTags));
  EXPECT_THAT(text, HasSubstr("a name, then each argument between tags"));
  EXPECT_THAT(text, HasSubstr("key to no string    \"\\\" string=\\\"false\\\">\""));
}

}  // namespace
}  // namespace cleave::response
