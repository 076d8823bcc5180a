#include "response/find_reasoning.h"

#include <array>
#include <optional>
#include <utility>

#include "response/difference.h"
#include "response/mark.h"

namespace cleave::response {
namespace {

// Variables with which templates turn reasoning on that is off by itself.
constexpr std::array<const char*, 2> kVariables = {"{}", R"({"enable_thinking": true, "thinking": true})"};

std::string text(std::string_view view) {
  return std::string(view);
}

/// A rendering in which reasoning was found, cut at it.
struct Shown {
  std::string prompt;  // behind the user's last word, with the same variables
  std::string before;  // before the reasoning
  std::string after;   // behind it
  bool has_content = false;
};

std::optional<Shown> cut_at_reasoning(const std::optional<std::string>& rendering, const std::string& prompt) {
  const std::optional<std::string> turn = Probe::behind_user(rendering);
  if (!turn) return std::nullopt;
  const size_t at = turn->find(probe::kReasoning);
  if (at == std::string::npos) return std::nullopt;
  return Shown{prompt, turn->substr(0, at), turn->substr(at + probe::kReasoning.size()), false};
}

// Reasoning before a content, or else before a call.
std::optional<Shown> show(const Probe& probe) {
  for (const char* variables : kVariables) {
    const std::string prompt = Probe::behind_user(probe.prompt(true, variables)).value_or("");
    const OrderedJson with_content = OrderedJson::array({probe.answer(text(probe::kContent), text(probe::kReasoning))});
    std::optional<Shown> shown = cut_at_reasoning(probe.conversation(with_content, true, variables), prompt);
    if (shown && shown->after.find(probe::kContent) != std::string::npos) {
      shown->after.resize(shown->after.find(probe::kContent));
      shown->has_content = true;
      return shown;
    }
    const ProbeCall call = {text(probe::kNames[0]), {{text(probe::kKeys[0]), "x"}}, text(probe::kIds[0])};
    const OrderedJson with_call = OrderedJson::array({probe.answer_with_calls({call}, text(probe::kReasoning))});
    shown = cut_at_reasoning(probe.conversation(with_call, true, variables), prompt);
    if (shown) return shown;
  }
  return std::nullopt;
}

// The name under which a template reads reasoning; nothing where it reads none.
std::optional<Shown> find_shown(Probe& probe) {
  for (const auto& [key, is_part] : {std::pair("reasoning_content", false), std::pair("thinking", false),
                                     std::pair("reasoning", false), std::pair("", true)}) {
    probe.traits.reasoning_key = key;
    probe.traits.reasoning_is_part = is_part;
    std::optional<Shown> shown = show(probe);
    // A template that knows no parts writes the list itself.
    const bool is_list = shown && is_part && shown->after.find("type") != std::string::npos;
    if (shown && !is_list) return shown;
  }
  probe.traits.reasoning_key = "";
  probe.traits.reasoning_is_part = false;
  return std::nullopt;
}

// From the last tag on: `<think>\n`.
std::string last_tag(std::string_view text) {
  const std::vector<Tag> tags = tags_in(text);
  return tags.empty() ? "" : std::string(text.substr(tags.back().begin));
}

// Up to the end of the first tag.
std::string up_to_first_tag(std::string_view text) {
  const std::vector<Tag> tags = tags_in(text);
  if (tags.empty()) return std::string(text);
  size_t end = tags[0].end;
  while (end < text.size() && is_space(text[end])) ++end;
  return std::string(text.substr(0, end));
}

// What closes the reasoning: up to what opens the content, or one tag.
std::string close_of(const Shown& shown, const AnswerFrame& frame) {
  std::string_view close = shown.after;
  if (!shown.has_content) return up_to_first_tag(close);
  const std::string_view content = common_suffix(close, frame.content_open);
  close.remove_suffix(content.size());
  if (!trimmed(content).empty() && !trimmed(close).empty()) return text(close);
  return tags_in(shown.after).size() > 1 ? up_to_first_tag(shown.after) : shown.after;
}

// What opens it: what a past answer has beyond a prompt; or words that stand in prompts alone; or the last tag of both.
std::string open_of(const Shown& shown, std::string_view close) {
  const std::string_view shared = common_prefix(shown.prompt, shown.before);
  const std::string open = shown.before.substr(shared.size());
  if (!trimmed(open).empty()) return open;
  const std::string rest = shown.prompt.substr(shared.size());
  const bool closes = left_trimmed(rest).substr(0, trimmed(close).size()) == trimmed(close);
  return trimmed(rest).empty() || closes ? last_tag(shown.before) : rest;
}

void set_marks(const Shown& shown, const AnswerFrame& frame, ResponseFormat& format) {
  const std::string close = close_of(shown, frame);
  if (trimmed(close).empty()) return;
  format.reasoning_close = close;
  format.reasoning_open = open_of(shown, close);
}

// `<tag>word<tag>` in its three parts.
std::optional<std::array<std::string, 3>> tagged_word(std::string_view literal) {
  const std::string_view inside = trimmed(literal);
  const std::vector<Tag> tags = tags_in(inside);
  if (tags.size() != 2 || tags[0].begin != 0 || tags[1].end != inside.size()) return std::nullopt;
  const std::string_view word = inside.substr(tags[0].end, tags[1].begin - tags[0].end);
  if (word.empty() || word.find_first_of(" \n") != std::string_view::npos) return std::nullopt;
  return std::array{text(inside.substr(0, tags[0].end)), text(word), text(inside.substr(tags[1].begin))};
}

// Channels: reasoning and content are opened by the same two tags with another word between them.
void find_channels(const Shown& shown, const AnswerFrame& frame, ResponseFormat& format) {
  const auto reasoning = tagged_word(format.reasoning_open);
  const auto content = tagged_word(frame.content_open);
  if (!reasoning || !content || (*reasoning)[0] != (*content)[0] || (*reasoning)[2] != (*content)[2]) return;
  ChannelSyntax channels;
  channels.channel = (*reasoning)[0];
  channels.message = (*reasoning)[2];
  channels.reasoning = (*reasoning)[1];
  channels.content = (*content)[1];
  const std::vector<Tag> tags = tags_in(shown.after);
  if (tags.empty()) return;
  channels.ends.push_back(shown.after.substr(tags[0].begin, tags[0].end - tags[0].begin));
  if (tags.size() > 1) {
    channels.start = shown.after.substr(tags[1].begin, tags[1].end - tags[1].begin);
    const size_t end = tags.size() > 2 ? tags[2].begin : shown.after.size();
    channels.author = trimmed(std::string_view(shown.after).substr(tags[1].end, end - tags[1].end));
    channels.author.resize(std::min(channels.author.find(' '), channels.author.size()));
  }
  const std::string end = std::string(trimmed(up_to_first_tag(frame.after)));
  if (!end.empty() && end != channels.ends[0]) channels.ends.push_back(end);
  format.channels = std::move(channels);
}

// Closing tags that the text of a template names, `</think>`: each once.
std::vector<std::string> closing_tags(const Probe& probe) {
  std::vector<std::string> closings;
  for (const auto& [name, source] : probe.format().sources())
    for (const Tag& tag : tags_in(source)) {
      const std::string closing = source.substr(tag.begin, tag.end - tag.begin);
      const bool is_closing = closing.size() > 3 && closing[1] == '/' && closing.find_first_of(" '\"{") == closing.npos;
      if (is_closing && std::find(closings.begin(), closings.end(), closing) == closings.end())
        closings.push_back(closing);
    }
  return closings;
}

// Reasoning that a template takes out of earlier answers, though it writes none itself.
void find_stripped(const Probe& probe, const AnswerFrame& frame, ResponseFormat& format) {
  for (const std::string& close : closing_tags(probe)) {
    const std::string open = close.substr(0, 1) + close.substr(2);
    const std::string answer = open + text(probe::kReasoning) + close + text(probe::kContent);
    const OrderedJson history = OrderedJson::array({probe.answer(answer), {{"role", "user"}, {"content", "And then"}}});
    const std::optional<std::string> turn = Probe::behind_user(probe.conversation(history, false));
    const bool strips =
        turn && turn->find(probe::kReasoning) == std::string::npos && turn->find(probe::kContent) != std::string::npos;
    const std::string_view end = right_trimmed(frame.prompt);
    const bool opened = end.size() >= open.size() && end.substr(end.size() - open.size()) == open;
    if (!strips && !opened) continue;
    format.reasoning_open = open + "\n";
    format.reasoning_close = "\n" + close + "\n\n";
    return;
  }
}

}  // namespace

bool find_frame(const Probe& probe, AnswerFrame& frame) {
  const OrderedJson answer = OrderedJson::array({probe.answer(text(probe::kContent))});
  std::optional<std::string> turn = Probe::behind_user(probe.conversation(answer, false));
  const bool with_tools = !turn;  // a template for tools may want some
  if (with_tools) turn = Probe::behind_user(probe.conversation(answer, true));
  const size_t at = turn ? turn->find(probe::kContent) : std::string::npos;
  if (at == std::string::npos) return false;
  frame.prompt = Probe::behind_user(probe.prompt(with_tools)).value_or("");
  frame.before = turn->substr(0, at);
  frame.after = turn->substr(at + probe::kContent.size());
  frame.content_open = frame.before.substr(common_prefix(frame.prompt, frame.before).size());
  return true;
}

void find_reasoning(Probe& probe, const AnswerFrame& frame, ResponseFormat& format) {
  const std::optional<Shown> shown = find_shown(probe);
  if (shown) {
    set_marks(*shown, frame, format);
    find_channels(*shown, frame, format);
  }
  if (format.reasoning_close.empty()) find_stripped(probe, frame, format);
  format.prompt_opens_reasoning = format.begins_in_reasoning(frame.prompt);
}

}  // namespace cleave::response
