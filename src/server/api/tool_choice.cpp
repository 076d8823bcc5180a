#include "server/api/tool_choice.h"

#include "base/untrusted_text.h"
#include "server/api/failure.h"

namespace cleave::server::api {
namespace {

bool has_tool(const Conversation& conversation, const std::string& name) {
  for (const OrderedJson& tool : conversation.tools)
    if (tool["function"]["name"] == name) return true;
  return false;
}

}  // namespace

using Mode = ToolChoice::Mode;

Mode tool_mode(const Field& choice) {
  const std::string& mode = choice.string();
  if (mode == "auto") return Mode::Auto;
  if (mode == "none") return Mode::None;
  if (mode == "required" || mode == "any") return Mode::Required;
  choice.wrong("none, auto, required, or an object that names a function");
}

void keep_tools(Conversation& conversation, const std::vector<Field>& allowed,
                std::optional<Field> (*name_of)(const Field&)) {
  OrderedJson kept = OrderedJson::array();
  for (const Field& tool : allowed) {
    const auto name = name_of(tool);
    if (!name) continue;
    if (!has_tool(conversation, name->string())) name->wrong("the name of one of the tools");
    for (const OrderedJson& known : conversation.tools)
      if (known["function"]["name"] == name->string()) kept.push_back(known);
  }
  conversation.tools = std::move(kept);
}

void require_tools(const Conversation& conversation, const Field& place) {
  const ToolChoice& wanted = conversation.tool_choice;
  if (wanted.mode == Mode::Required && conversation.tools.empty())
    refuse(place.path(), "tool_choice: a call is required, and there are no tools");
  if (wanted.mode == Mode::Named && !has_tool(conversation, wanted.name))
    refuse(place.path(), "tool_choice: wanted the name of one of the tools, saw {}", in_quotes(wanted.name));
}

}  // namespace cleave::server::api
