#include "server/live/answer_hold.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "response/call_grammar.h"
#include "server/api/failure.h"
#include "server/live/answer_grammar.h"

namespace cleave::server {
namespace {

using api::is_client_mistake;
using api::refuse;
using Mode = api::ToolChoice::Mode;

// Letters of which names in calls may be made: none that a call's syntax could take for its own.
bool is_name(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/' || c == ':';
  });
}

// A schema's error; "" where it compiles.
std::string problem_of(const OrderedJson& schema) {
  try {
    grammar::compile_json_schema(schema);
  } catch (const Error& error) {
    if (!is_client_mistake(error)) throw;
    return error.what();
  }
  return "";
}

/// The tools of a conversation that its answer may call.
class HeldTools {
 public:
  HeldTools(const api::Conversation& conversation, const response::ResponseFormat& format)
      : choice_(conversation.tool_choice), format_(format) {
    for (const OrderedJson& tool : conversation.tools) {
      const OrderedJson& function = tool["function"];
      const std::string name = function["name"].get<std::string>();
      if (choice_.mode == Mode::Named && name != choice_.name) continue;
      names_.push_back(name);
      functions_.push_back({{"name", name},
                            {"parameters", function.value("parameters", OrderedJson())},
                            {"strict", function.contains("strict") && function["strict"] == true}});
      if (functions_.back()["parameters"].is_null()) functions_.back()["parameters"] = {{"type", "object"}};
    }
  }

  bool is_forced() const { return choice_.mode == Mode::Required || choice_.mode == Mode::Named; }
  bool can_be_named() const { return std::ranges::all_of(names_, is_name); }
  bool has_strict() const { return std::ranges::any_of(functions_, is_strict); }
  bool several() const { return choice_.parallel && choice_.mode != Mode::Named; }
  const std::vector<std::string>& names() const { return names_; }
  /// What tells grammars of tools apart, and what of them must be held.
  std::string key() const { return fmt::format("{} {} {}", is_forced(), several(), api::dump(functions_)); }

  std::optional<response::CallGrammar> calls() const { return call_grammar(format_, schemas(), names_, several()); }
  std::vector<response::CallGrammar> openings() const { return call_openings(format_, schemas(), names_, several()); }

  /// Refuses what a grammar cannot hold of tools that it must hold.
  void require_what_is_held() const {
    for (size_t i = 0; i < names_.size(); ++i) {
      const OrderedJson& parameters = functions_[i]["parameters"];
      const bool strict = is_strict(functions_[i]);
      if (!is_forced() && !strict) continue;
      if (!is_name(names_[i]))
        refuse("tools", "tools: {} has a name that calls cannot be held to; wanted letters, digits, _ - . / :",
               in_quotes(names_[i]));
      if (const std::string problem = problem_of(parameters); !problem.empty())
        refuse("tools", "tools: parameters of {}: {}", names_[i], problem);
      const std::string keyword = strict ? unheld_keyword(format_, parameters) : "";
      if (!keyword.empty())
        refuse("tools",
               "tools: {} is strict, and this model writes arguments in a manner that \"{}\" cannot be held in; leave "
               "it out, or \"strict\"",
               names_[i], keyword);
    }
  }

  /// Leaves to the model what a grammar cannot hold; with `all`, everything but the names of arguments.
  HeldTools relaxed(bool all) const {
    HeldTools other = *this;
    for (size_t i = 0; i < names_.size(); ++i)
      if (!is_strict(functions_[i])) relax(other.functions_[i]["parameters"], all);
    return other;
  }

 private:
  static bool is_strict(const OrderedJson& function) { return function["strict"] == true; }
  response::ToolSchemas schemas() const { return response::ToolSchemas(api::dump(functions_)); }

  static void relax(OrderedJson& parameters, bool all) {
    if (!all && problem_of(parameters).empty()) return;
    OrderedJson relaxed = {{"type", "object"}};
    const OrderedJson properties = parameters.value("properties", OrderedJson::object());
    if (properties.is_object())
      for (const auto& [name, schema] : properties.items()) relaxed["properties"][name] = relaxed_value(schema, all);
    parameters = std::move(relaxed);
  }

  static OrderedJson relaxed_value(const OrderedJson& schema, bool all) {
    const bool refers = api::dump(schema).find("\"$ref\"") != std::string::npos;  // to what is left out
    if (!all && !refers && problem_of(schema).empty()) return schema;
    OrderedJson type = OrderedJson::object();
    if (schema.is_object() && schema.contains("type") && problem_of({{"type", schema["type"]}}).empty())
      type["type"] = schema["type"];
    return type;
  }

  const api::ToolChoice& choice_;
  const response::ResponseFormat& format_;
  std::vector<std::string> names_;
  OrderedJson functions_ = OrderedJson::array();
};

/// One answer of a conversation.
class Holder {
 public:
  Holder(const api::Generation& generation, const ServedModel& model, std::string_view prompt)
      : generation_(generation),
        conversation_(*generation.conversation),
        constraints_(*model.constraints),
        format_(is_forced(conversation_) ? forced_format(model) : model.format),
        tools_(conversation_, format_),
        reasoning_(reasoning_of(format_, prompt, generation.thinking.value_or(true))) {}

  AnswerHold hold() const {
    const bool has_tools = !conversation_.tools.empty() && conversation_.tool_choice.mode != Mode::None;
    const bool has_form = generation_.format.kind != api::Format::Kind::Text;
    if (tools_.is_forced()) return forced();
    if (has_form) return formed(has_tools);
    return has_tools ? lazy() : AnswerHold{.format = &format_};
  }

 private:
  static bool is_forced(const api::Conversation& conversation) {
    return conversation.tool_choice.mode == Mode::Required || conversation.tool_choice.mode == Mode::Named;
  }

  std::string key(const char* kind) const {
    return fmt::format("{} {} {}", kind, static_cast<int>(reasoning_), tools_.key());
  }

  response::CallGrammar forced_calls() const {
    auto calls = tools_.calls();
    if (!calls) refuse("tool_choice", "tool_choice: this model's calls have a form that an answer cannot be held to");
    return *std::move(calls);
  }

  AnswerHold forced() const {
    const auto compile = [&] { return compile_piece(composer().whole(reasoning_, std::nullopt, forced_calls())); };
    auto grammar = constraints_.grammar_of(key("call"), [&] {
      tools_.require_what_is_held();
      return compiled_for("tools", compile);
    });
    return {.grammar = std::move(grammar),
            .format = &format_,
            .is_held = true,
            .calls_are_certain = true,
            .header = format_.channels && generation_.thinking_budget ? forced_calls().opening : ""};
  }

  // The form, or calls in its place.
  AnswerHold formed(bool may_call) const {
    if (may_call && format_.calls.is_bare())
      refuse(
          generation_.format.field,
          "{}: this model's calls have no marks, so that they cannot be told from an answer of a form; leave out the "
          "tools, or set tool_choice to \"none\"",
          generation_.format.field);
    const auto compile = [&](const HeldTools& tools) {
      const auto calls = may_call && tools.can_be_named() ? tools.calls() : std::nullopt;
      return compile_piece(composer().whole(reasoning_, piece_of(generation_.format), calls));
    };
    const std::string form =
        fmt::format("{} {}", static_cast<int>(generation_.format.kind), api::dump(generation_.format.value));
    auto grammar = constraints_.grammar_of(key(may_call ? "form or call" : "form") + form, [&] {
      if (may_call) {
        tools_.require_what_is_held();
        compiled_for(generation_.format.field, [&] { return compile_piece(piece_of(generation_.format)); });
      }
      auto compiled = may_call ? first_that_compiles(compile) : nullptr;
      return compiled ? compiled : compiled_for(generation_.format.field, [&] {
        return compile_piece(composer().whole(reasoning_, piece_of(generation_.format), std::nullopt));
      });
    });
    return {.grammar = std::move(grammar), .format = &format_, .is_held = true, .calls_are_certain = true};
  }

  // Anything, and calls from their opening on.
  AnswerHold lazy() const {
    auto grammar = constraints_.grammar_of(key("openings"), [&]() -> Constraints::Compiled {
      tools_.require_what_is_held();
      const bool can_be_held = tools_.can_be_named() && !tools_.openings().empty();
      if (!can_be_held && tools_.has_strict())
        refuse("tools",
               "tools: a function is strict, and nothing marks where this model's calls begin; set tool_choice to "
               "\"required\", or leave out \"strict\"");
      if (!can_be_held) return nullptr;
      return first_that_compiles(
          [&](const HeldTools& tools) { return compile_piece(composer().from_openings(tools.openings())); });
    });
    const bool is_certain = grammar != nullptr;
    if (!is_certain && tools_.has_strict())
      refuse("tools", "tools: strict functions whose parameters are too large to be held together");
    return {.grammar = std::move(grammar), .format = &format_, .calls_are_certain = is_certain};
  }

  // The grammar of the tools as they are, or of what of them can be held; null where that is nothing.
  template <class Compile>
  Constraints::Compiled first_that_compiles(const Compile& compile) const {
    for (int attempt = 0; attempt < 3; ++attempt) try {
        return compile(attempt == 0 ? tools_ : tools_.relaxed(attempt == 2));
      } catch (const Error& error) {
        if (!is_client_mistake(error)) throw;
      }
    return nullptr;
  }

  AnswerGrammar composer() const { return {constraints_, format_}; }

  const api::Generation& generation_;
  const api::Conversation& conversation_;
  Constraints& constraints_;
  const response::ResponseFormat& format_;
  const HeldTools tools_;
  const Reasoning reasoning_;
};

}  // namespace

const response::ResponseFormat& forced_format(const ServedModel& model) {
  response::ToolSchemas any(R"([{"name": "f"}])");
  const bool has_own = model.format.channels || call_grammar(model.format, any, any.names(), false).has_value();
  return has_own ? model.format : model.plain_format;
}

AnswerHold hold_answer(const api::Generation& generation, const ServedModel& model, std::string_view prompt) {
  if (generation.conversation) return Holder(generation, model, prompt).hold();
  AnswerHold hold;
  if (generation.format.kind != api::Format::Kind::Text)
    hold.grammar = model.constraints->grammar_of(generation.format);
  return hold;
}

}  // namespace cleave::server
