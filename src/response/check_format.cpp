#include "response/check_format.h"

#include <fmt/format.h>

#include <optional>

#include "response/difference.h"
#include "response/literal.h"
#include "response/mark.h"
#include "response/probe.h"
#include "response/response_parser.h"

namespace cleave::response {
namespace {

/// The parts of an answer.
struct Parts {
  std::string reasoning;
  std::string content;
  std::vector<ProbeCall> calls;

  bool operator==(const Parts& other) const { return to_text() == other.to_text(); }
  std::string to_text() const {
    std::string text = fmt::format("reasoning {}, content {}", json_text(std::string(trimmed(reasoning))),
                                   json_text(std::string(trimmed(content))));
    for (const ProbeCall& call : calls) text += ", " + call.name + "(" + json_text(sorted(call.arguments)) + ")";
    return text;
  }

 private:
  // Templates may sort the arguments.
  static OrderedJson sorted(const OrderedJson& arguments) { return OrderedJson(Json(arguments)); }
};

struct Example {
  const char* what;
  Parts parts;
};

const char* const kTools =
    R"([{"type": "function", "function": {"name": "get_weather", "description": "Weather of a place",
  "parameters": {"type": "object", "properties": {
    "place": {"type": "string", "description": "Where"}, "days": {"type": "integer", "description": "How many"},
    "metric": {"type": "boolean", "description": "Units"}, "scale": {"type": "number", "description": "Scale"},
    "options": {"type": "object", "description": "More"}, "hours": {"type": "array", "items": {"type": "integer"},
    "description": "When"}}, "required": ["place"]}}},
  {"type": "function", "function": {"name": "write_file", "description": "Writes a file", "parameters": {"type": "object",
    "properties": {"path": {"type": "string", "description": "Path"}, "text": {"type": "string", "description": "Text"}},
    "required": ["path", "text"]}}}])";

std::vector<Example> examples() {
  const ProbeCall weather = {"get_weather", {{"place", "Paris"}}, "Wq1aaaaa1"};
  const ProbeCall both = {"get_weather", {{"place", "Rome"}, {"days", 3}}, "Wq2bbbbb2"};
  const ProbeCall nested = {"get_weather",
                            {{"place", "Oslo"},
                             {"days", 12},
                             {"metric", true},
                             {"scale", 0.5},
                             {"options", {{"deep", {{"list", {1, 2.5, "x"}}, {"none", nullptr}}}, {"on", false}}},
                             {"hours", {6, 18}}},
                            "Wq3ccccc3"};
  const ProbeCall text = {"write_file",
                          {{"path", "a/b \"c\".txt"}, {"text", "if a < b && c > d:\n\tprint('\\n', \"é\")\n\nend"}},
                          "Wq4ddddd4"};
  const std::string reason = "The user asks for this.\nSo I think about it, twice.";
  return {{"one call", {"", "", {weather}}},
          {"two calls", {"", "", {weather, both}}},
          {"nested values", {"", "", {nested}}},
          {"strings with escapes", {"", "", {text}}},
          {"content and a call", {"", "Let me see.", {both}}},
          {"reasoning and content", {reason, "It is so.\n\nReally.", {}}},
          {"reasoning and a call", {reason, "", {weather}}},
          {"content", {"", "Hello, **you** <b>there</b> [1]: {\"a\": 1}.", {}}}};
}

/// Writes examples with a template.
class ExampleWriter {
 public:
  ExampleWriter(const text::ChatFormat& chat, const ResponseFormat& format) : probe_(chat), format_(format) {
    probe_.tools = kTools;
    probe_.traits = format.traits;
    for (const HeadPiece& piece : format.calls.head)
      probe_.ids_hold_names = probe_.ids_hold_names || piece.kind == HeadPiece::Kind::NamedId;
  }

  std::string prompt;  // of the last example, up to where the model goes on
  std::string answer;

  // False where the template does not write all that the example has.
  bool write(const Parts& parts) {
    for (const char* variables : {"{}", R"({"enable_thinking": true, "thinking": true})"})
      if (write_with(parts, variables)) return true;
    return false;
  }

 private:
  bool write_with(const Parts& parts, const char* variables) {
    probe_.call_content = parts.content;
    const OrderedJson message = parts.calls.empty() ? probe_.answer(parts.content, parts.reasoning)
                                                    : probe_.answer_with_calls(parts.calls, parts.reasoning);
    const auto asked = probe_.prompt(true, variables);
    const auto whole = probe_.conversation(OrderedJson::array({message}), true, variables);
    if (!asked || !whole) return false;
    const auto other =
        probe_.conversation(OrderedJson::array({probe_.answer(std::string(probe::kContent))}), true, variables);
    const size_t begin = beginning(*whole, *asked, other);
    // Words that open reasoning may stand in prompts alone.
    const bool opened = !parts.reasoning.empty() && format_.begins_in_reasoning(*asked);
    prompt = opened ? *asked : whole->substr(0, begin);
    answer = whole->substr(begin);
    if (!has_all(parts)) return false;
    cut_end(other);
    return true;
  }

  // Where the answer begins: behind the prompt; behind what any answer has where a past answer has another prompt.
  static size_t beginning(const std::string& whole, const std::string& asked, const std::optional<std::string>& other) {
    if (whole.compare(0, asked.size(), asked) == 0 && Probe::behind_user(asked) != "") return asked.size();
    return std::max(common_prefix(asked, whole).size(), other ? common_prefix(*other, whole).size() : 0);
  }

  bool has_all(const Parts& parts) const {
    size_t at = 0;
    for (const ProbeCall& call : parts.calls) {
      at = answer.find(call.name, at);
      if (at == std::string::npos) return false;
      ++at;
    }
    return answer.find(parts.content) != std::string::npos && answer.find(parts.reasoning) != std::string::npos;
  }

  // Takes away the tokens that end an answer.
  void cut_end(const std::optional<std::string>& other) {
    const size_t at = other ? other->rfind(probe::kContent) : std::string::npos;
    if (at == std::string::npos) return;
    answer.resize(answer.size() - common_suffix(answer, other->substr(at + probe::kContent.size())).size());
  }

  Probe probe_;
  const ResponseFormat& format_;
};

ResponseParser make_parser(const ResponseFormat& format, const std::string& prompt) {
  ParserSettings settings;
  settings.tools = ToolSchemas(kTools);
  settings.prompt = prompt;
  return {format, std::move(settings)};
}

void append(std::vector<ResponseEvent>& events, std::vector<ResponseEvent> more) {
  events.insert(events.end(), more.begin(), more.end());
}

// The events of an answer that comes in two pieces, or in single bytes where `cut` is beyond its end.
std::vector<ResponseEvent> read(const ResponseFormat& format, const std::string& prompt, const std::string& answer,
                                size_t cut) {
  ResponseParser parser = make_parser(format, prompt);
  std::vector<ResponseEvent> events;
  if (cut <= answer.size()) {
    append(events, parser.feed(std::string_view(answer).substr(0, cut)));
    append(events, parser.feed(std::string_view(answer).substr(cut)));
  } else {
    for (const char& byte : answer) append(events, parser.feed(std::string_view(&byte, 1)));
  }
  append(events, parser.finish());
  return merged(events);
}

Parts parts_of(const std::vector<ResponseEvent>& events) {
  Parts parts;
  for (const ResponseEvent& event : events) {
    if (event.type == ResponseEvent::Type::Reasoning) parts.reasoning += event.text;
    if (event.type == ResponseEvent::Type::Content) parts.content += event.text;
    if (event.type == ResponseEvent::Type::CallBegin) parts.calls.push_back({event.name, nullptr, event.id});
    if (event.type == ResponseEvent::Type::CallArguments)
      parts.calls.back().arguments = parse_literal(event.text, {}).value_or(event.text);
    if (event.type == ResponseEvent::Type::CallEnd && !event.finished) parts.calls.back().name += " (cut)";
    if (event.type == ResponseEvent::Type::CallDropped) parts.calls.back().name += " (dropped)";
  }
  return parts;
}

FormatCheck check(ExampleWriter& writer, const ResponseFormat& format, const Example& example) {
  using Outcome = FormatCheck::Outcome;
  FormatCheck result{example.what, Outcome::NotWritten, "", ""};
  // Calls without a mark are found at the beginning alone.
  const bool is_hidden = format.calls.is_bare() && !example.parts.calls.empty() && !example.parts.content.empty();
  if (is_hidden || !writer.write(example.parts)) return result;
  result.answer = writer.answer;
  const std::vector<ResponseEvent> whole = read(format, writer.prompt, writer.answer, 0);
  const Parts parts = parts_of(whole);
  result.outcome = parts == example.parts ? Outcome::Same : Outcome::Differs;
  if (result.outcome == Outcome::Differs) result.read = parts.to_text();
  for (size_t cut = 1; cut <= writer.answer.size() + 1; ++cut) {
    const std::vector<ResponseEvent> pieces = read(format, writer.prompt, writer.answer, cut);
    if (pieces == whole) continue;
    result.outcome = Outcome::DiffersCut;
    result.read = fmt::format("cut at {}: {}", cut, parts_of(pieces).to_text());
    return result;
  }
  return result;
}

}  // namespace

std::vector<FormatCheck> check_format(const text::ChatFormat& chat, const ResponseFormat& format) {
  ExampleWriter writer(chat, format);
  std::vector<FormatCheck> checks;
  for (const Example& example : examples()) checks.push_back(check(writer, format, example));
  return checks;
}

}  // namespace cleave::response
