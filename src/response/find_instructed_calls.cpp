#include "response/find_instructed_calls.h"

#include <fmt/format.h>

#include "response/mark.h"

namespace cleave::response {
namespace {

constexpr size_t kMaxExample = 300;  // bytes; a list of tools is longer

// The member of an example that holds the arguments; "" where the text is no example of a call.
std::string arguments_key(std::string_view example) {
  const std::string_view object = trimmed(example);
  if (object.size() > kMaxExample || object.empty() || object.front() != '{' || object.back() != '}') return "";
  if (object.find("\"name\"") == std::string_view::npos || object.find(probe::kNames[0]) != std::string_view::npos)
    return "";
  for (const char* key : {"arguments", "parameters"})
    if (object.find(fmt::format("\"{}\"", key)) != std::string_view::npos) return key;
  return "";
}

}  // namespace

CallSyntax find_instructed_calls(const Probe& probe) {
  CallSyntax syntax;
  const std::string prompt = probe.prompt(true).value_or("");
  for (const Tag& tag : tags_in(prompt)) {
    const std::string open = prompt.substr(tag.begin, tag.end - tag.begin);
    if (open[0] != '<' || open.back() != '>') continue;
    const std::string close = fmt::format("</{}", open.substr(1));
    const size_t end = prompt.find(close, tag.end);
    const std::string key =
        end == std::string::npos ? "" : arguments_key(std::string_view(prompt).substr(tag.end, end - tag.end));
    if (key.empty()) continue;
    syntax.kind = CallKind::Object;
    syntax.open = open + "\n";
    syntax.close = fmt::format("\n{}", close);
    syntax.separator = std::string(1, '\n');
    syntax.keys.name = "name";
    syntax.keys.arguments = key;
    syntax.several = true;
    syntax.instructed = true;
    break;
  }
  return syntax;
}

}  // namespace cleave::response
