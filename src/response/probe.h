#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ordered_json.h"
#include "response/message_traits.h"
#include "text/chat/chat_format.h"

namespace cleave::response {

/// Words that no template writes by itself, so that they are found in its renderings.
namespace probe {
inline constexpr std::string_view kUser = "Qxuser asks";
inline constexpr std::string_view kReasoning = "Qxreason thinks";
inline constexpr std::string_view kContent = "Qxcontent says";
inline constexpr std::string_view kNames[] = {"alphaqx_tool", "betaqx_tool"};
inline constexpr std::string_view kIds[] = {"Kqx1aaaaa", "Lqx2bbbbb"};
inline constexpr std::string_view kKeys[] = {"firstqx", "secondqx"};
}  // namespace probe

/// A call for a probe's conversation.
struct ProbeCall {
  std::string name;
  OrderedJson arguments;
  std::string id;
};

/// Renders conversations of made-up words with one template. Refusals are no errors here: they give nothing.
class Probe {
 public:
  explicit Probe(const text::ChatFormat& format);

  /// The tools of the conversations, as JSON.
  std::string tools;
  /// The traits that conversations are written with.
  MessageTraits traits;
  /// Whether ids of calls hold the names, "functions.NAME:0", as some templates want.
  bool ids_hold_names = false;
  /// What a message of calls has for its content, where it must have any.
  std::string call_content;

  /// The conversation as a prompt: the user's message alone.
  std::optional<std::string> prompt(bool with_tools, const std::string& variables = "{}") const;
  /// The user's message and the messages that follow it, as API messages.
  std::optional<std::string> conversation(const OrderedJson& answers, bool with_tools,
                                          const std::string& variables = "{}") const;
  /// An assistant's message.
  OrderedJson answer(const std::string& content, const std::string& reasoning = "") const;
  OrderedJson answer_with_calls(const std::vector<ProbeCall>& calls, const std::string& reasoning = "") const;

  /// What follows the user's last word in a rendering; nothing where that word is missing.
  static std::optional<std::string> behind_user(const std::optional<std::string>& rendering);

  const std::string& last_refusal() const { return last_refusal_; }
  const text::ChatFormat& format() const { return format_; }

 private:
  std::optional<std::string> render(const OrderedJson& messages, bool with_tools, bool as_prompt,
                                    const std::string& variables) const;

  const text::ChatFormat& format_;
  mutable std::string last_refusal_;
};

/// The tools that a probe has by itself, as JSON: of kNames, with parameters of kKeys.
std::string probe_tools();

}  // namespace cleave::response
