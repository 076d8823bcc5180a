#include "jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"

namespace cleave::jinja {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string render(const std::string& source, const std::string& variables = "{}") {
  return Template(source, "t").render(variables, 0);
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::Internal);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

std::string error_of(const std::string& source, const std::string& variables = "{}") {
  return error_of([&] { render(source, variables); });
}

std::string repeated(std::string_view text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

// Every case of tests/scripts/make_template_cases.py.
TEST(Template, RendersWhatJinja2Renders) {
  const MappedFile file(CLEAVE_TEST_DATA "/templates/cases.json");
  const auto json = nlohmann::ordered_json::parse(file.text());  // keys keep their order
  const std::string variables = json.at("variables").dump();
  std::tm noon{};
  strptime("2024-07-26 12", "%Y-%m-%d %H", &noon);
  noon.tm_isdst = -1;
  const int64_t now = std::mktime(&noon);
  ASSERT_GE(json.at("cases").size(), 110u);
  for (const auto& expected : json.at("cases")) {
    const std::string source = expected.at("template");
    SCOPED_TRACE(source);
    const auto run = [&] { return Template(source, "t").render(variables, now); };
    if (expected.contains("text")) {
      EXPECT_EQ(run(), expected.at("text").get<std::string>());
      continue;
    }
    const std::string wanted = expected.at("error");
    const bool syntax = wanted.find("SyntaxError") < 10 || wanted.starts_with("TemplateSyntaxError") ||
                        wanted.starts_with("TemplateAssertionError");
    const std::string message = error_of([&] { run(); });
    if (!syntax) {
      EXPECT_THAT(message, ::testing::EndsWith(wanted));
    }
  }
}

TEST(Template, TellsWhereAnErrorIs) {
  EXPECT_THAT(error_of("a\n\n  {{ x.y }}"), StartsWith("t:3:7: UndefinedError: 'x' is undefined"));
  EXPECT_THAT(error_of("{{ é ~ raise_exception('No ' ~ 1) }}"), StartsWith("t:1:"));
  EXPECT_THAT(error_of("{{ raise_exception('Roles must alternate') }}"),
              AllOf(StartsWith("t:1:19: TemplateError: "), HasSubstr("Roles must alternate")));
  EXPECT_THAT(error_of("text\n{% if %}"), StartsWith("t:2:7: TemplateSyntaxError: "));
}

TEST(Template, RefusesVariablesThatAreNoObject) {
  EXPECT_THAT(error_of("", "[1]"), HasSubstr("wanted a JSON object"));
  EXPECT_THAT(error_of("", "{\"a\": "), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of("", std::string(1000, '[')), HasSubstr("nested deeper"));
}

TEST(Template, KeepsTheOrderOfKeys) {
  EXPECT_EQ(render("{{ x | tojson }}", R"({"x": {"z": 1, "a": 2, "m": {"b": [], "a": {}}}})"),
            R"({"z": 1, "a": 2, "m": {"b": [], "a": {}}})");
  EXPECT_EQ(render("{% for k in x %}{{ k }}{% endfor %}", R"({"x": {"k9":1,"k1":1,"k5":1,"k3":1,"k7":1,"k2":1,"k8":1,
            "k4":1,"k6":1,"k0":1}})"),
            "k9k1k5k3k7k2k8k4k6k0");
}

TEST(Template, LaterKeysTakeThePlaceOfEarlierOnes) {
  EXPECT_EQ(render("{{ x }}", R"({"x": 1, "x": 2})"), "2");
}

// What would run for ever, fill the memory or the stack ends with an error.
TEST(Template, IsBounded) {
  const std::vector<std::string> hostile = {
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
      "{{ 'x' * 999999999999 }}",
      "{{ [1] * 9999999999 }}",
      "{{ 'x'.center(99999999999) }}",
      "{{ '%999999999d' % 1 }}",
      "{{ 'aaaaaaaaaaaaaaaaaaaa'.replace('', 'x' * 100000000) }}",
      "{{ 'x' | indent(999999999) | indent('y' * 99999999) | indent('y' * 99999999, true) * 9 }}",
      "{{ range(99999999) }}",
      "{{ 9999999999 * 9999999999 }}",
      "{{ 2 ** 99999999 }}",
      "{% for i in range(9999) %}{{ 'x' * 99999 }}{% endfor %}",
      "{{ " + std::string(5000, '(') + "1",
      "{{ " + std::string(5000, '-') + "1 }}",
      "{{ not " + repeated("not ", 5000) + "1 }}",
      repeated("{% if 1 %}", 5000),
      "{{ 1" + repeated("+1", 50000) + " }}",
  };
  const Limits tight{.steps = 200'000, .memory_bytes = 4 << 20, .output_bytes = 1 << 20};
  for (const std::string& source : hostile) {
    const auto run = [&] { Template(source, "t").render("{}", tight); };
    EXPECT_THAT(error_of(run), StartsWith("t:")) << source.substr(0, 100);
  }
}

TEST(Template, NamespacesMayHoldThemselves) {
  EXPECT_EQ(
      render("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me is defined }}{{ ns | string | length > 2 }}"),
      "TrueTrue");
}

TEST(Template, KeepsALoopsStateWhereItOutlivesTheLoop) {
  EXPECT_EQ(render("{% set ns = namespace() %}{% for x in [1, 2] %}{% set ns.l = loop %}{% endfor %}{{ ns.l.index }}"),
            "2");
}

TEST(Template, IsSharedByThreads) {
  const Template shared("{% macro m(x) %}{{ x }}{% endmacro %}{% for i in range(9) %}{{ m(i) }}{% endfor %}", "t");
  EXPECT_EQ(shared.render("{}", 0), "012345678");
  EXPECT_EQ(shared.render("{}", 0), "012345678");
}

}  // namespace
}  // namespace cleave::jinja
