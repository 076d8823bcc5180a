#include "server/api/responses_input.h"

#include "server/api/failure.h"

namespace cleave::server::api {
namespace {

// A text, or the texts of a list of parts.
std::string text_of(const Field& content) {
  if (content.json().is_string()) return content.string();
  std::string text;
  for (const Field& part : content.elements()) {
    const std::string& type = part.at("type").string();
    const char* key = type == "refusal" ? "refusal" : "text";
    if (type != "input_text" && type != "output_text" && type != "text" && type != "refusal" &&
        type != "summary_text" && type != "reasoning_text")
      part.at("type").wrong("input_text or output_text: this model reads nothing else");
    if (!text.empty()) text += '\n';
    text += part.at(key).string();
  }
  return text;
}

/// Messages as items come one after another.
class Messages {
 public:
  void add(const Field& item) {
    const std::string type = item.string("type").value_or("message");
    if (type == "message")
      add_message(item);
    else if (type == "function_call")
      add_call(item, item.at("arguments").string());
    else if (type == "custom_tool_call")
      add_call(item, dump({{"input", item.at("input").string()}}));
    else if (type == "function_call_output" || type == "custom_tool_call_output")
      add_output(item);
    else if (type == "reasoning")
      add_reasoning(item);
    else if (type == "item_reference")
      refuse(item.path(), "{}: nothing is stored here that could be referred to; send the item itself", item.path());
  }

  OrderedJson take() {
    if (list_.empty()) list_.push_back({{"role", "user"}, {"content", ""}});
    return std::move(list_);
  }

  void add_text(const char* role, const std::string& text) {
    list_.push_back({{"role", role}, {"content", text}});
    in_answer_ = false;
  }

 private:
  void add_message(const Field& item) {
    const std::string role = item.at("role").string();
    std::string text = text_of(item.at("content"));
    if (role == "assistant") {
      OrderedJson& message = answer();
      message["content"] = message["content"].is_string() ? message["content"].get<std::string>() + text : text;
      return;
    }
    if (role != "user" && role != "system" && role != "developer")
      item.at("role").wrong("user, assistant, system or developer");
    list_.push_back({{"role", role}, {"content", std::move(text)}});
    in_answer_ = false;
  }

  void add_call(const Field& item, const std::string& arguments) {
    std::string name = item.at("name").string();
    if (const auto space = item.string("namespace")) name = (space->ends_with("__") ? *space : *space + "__") + name;
    OrderedJson& message = answer();
    message["tool_calls"].push_back({{"id", item.at("call_id").string()},
                                     {"type", "function"},
                                     {"function", {{"name", std::move(name)}, {"arguments", arguments}}}});
  }

  void add_output(const Field& item) {
    list_.push_back(
        {{"role", "tool"}, {"tool_call_id", item.at("call_id").string()}, {"content", text_of(item.at("output"))}});
    in_answer_ = false;
  }

  void add_reasoning(const Field& item) {
    std::string text;
    if (const auto content = item.find("content")) text = text_of(*content);
    if (const auto summary = item.find("summary"); summary && text.empty()) text = text_of(*summary);
    if (!text.empty()) answer()["reasoning_content"] = text;
  }

  OrderedJson& answer() {
    if (!in_answer_) list_.push_back({{"role", "assistant"}, {"content", nullptr}});
    in_answer_ = true;
    return list_.back();
  }

  OrderedJson list_ = OrderedJson::array();
  bool in_answer_ = false;  // the last message is an answer that further items belong to
};

// Calls use(name that the model sees, the tool's field, ResponseTool) for each tool.
template <class Use>
void for_each_tool(const Field& tools, const std::string& space, const Use& use) {
  for (const Field& tool : tools.elements()) {
    const std::string& type = tool.at("type").string();
    if (type == "namespace") {
      const std::string& name = tool.at("name").string();
      for_each_tool(tool.at("tools"), name.ends_with("__") ? name : name + "__", use);
    } else if (type == "function" || type == "custom") {
      const std::string& name = tool.at("name").string();
      if (name.empty()) tool.at("name").wrong("a name");
      use(space + name, tool, type == "custom");
    }
  }
}

OrderedJson function_of(const std::string& name, const Field& tool, bool is_custom) {
  OrderedJson function = {{"name", name}};
  if (const auto description = tool.string("description")) function["description"] = *description;
  if (is_custom) {
    function["parameters"] = {{"type", "object"},
                              {"properties", {{"input", {{"type", "string"}}}}},
                              {"required", OrderedJson::array({"input"})}};
  } else if (const auto parameters = tool.find("parameters")) {
    parameters->require_object();
    function["parameters"] = parameters->json();
  }
  if (tool.boolean("strict", false)) function["strict"] = true;
  return {{"type", "function"}, {"function", std::move(function)}};
}

}  // namespace

OrderedJson messages_of_input(const Field& body) {
  Messages messages;
  if (const auto instructions = body.string("instructions")) messages.add_text("system", *instructions);
  const auto input = body.find("input");
  if (input && input->json().is_string()) messages.add_text("user", input->string());
  if (input && !input->json().is_string())
    for (const Field& item : input->elements()) messages.add(item);
  return messages.take();
}

OrderedJson tools_of_response(const Field& body) {
  OrderedJson result = OrderedJson::array();
  if (const auto tools = body.find("tools"))
    for_each_tool(*tools, "", [&](const std::string& name, const Field& tool, bool is_custom) {
      result.push_back(function_of(name, tool, is_custom));
    });
  return result;
}

std::map<std::string, ResponseTool> response_tools(const Field& body) {
  std::map<std::string, ResponseTool> result;
  const auto tools = body.find("tools");
  if (!tools) return result;
  for_each_tool(*tools, "", [&](const std::string& name, const Field& tool, bool is_custom) {
    const std::string& own = tool.at("name").string();
    result[name] = {own, name.substr(0, name.size() - own.size()), is_custom};
  });
  return result;
}

}  // namespace cleave::server::api
