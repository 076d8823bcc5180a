#include "response/verify_format.h"

#include "response/literal.h"
#include "response/response_parser.h"

namespace cleave::response {

bool parses_back(const ResponseFormat& format, const std::string& answer, const std::vector<ProbeCall>& calls) {
  ParserSettings settings;
  settings.tools = ToolSchemas(probe_tools());
  ResponseParser parser(format, std::move(settings));
  std::vector<ResponseEvent> events = parser.feed(answer);
  for (const ResponseEvent& event : parser.finish()) events.push_back(event);
  events = merged(events);
  if (events.size() != 3 * calls.size()) return false;
  for (size_t i = 0; i < calls.size(); ++i) {
    const ResponseEvent& begin = events[3 * i];
    const ResponseEvent& arguments = events[3 * i + 1];
    if (begin.type != ResponseEvent::Type::CallBegin || begin.name != calls[i].name) return false;
    const auto value = parse_literal(arguments.text, {});
    if (!value || *value != calls[i].arguments || !events[3 * i + 2].finished) return false;
  }
  return true;
}

}  // namespace cleave::response
