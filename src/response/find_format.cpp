#include "response/find_format.h"

#include "base/error.h"
#include "base/untrusted_text.h"
#include "response/declared_format.h"
#include "response/difference.h"
#include "response/find_calls.h"
#include "response/find_reasoning.h"
#include "response/mark.h"
#include "response/probe.h"

namespace cleave::response {
namespace {

// Some templates read content as a list of parts alone.
void find_content_form(Probe& probe) {
  if (Probe::behind_user(probe.prompt(false))) return;
  probe.traits.content_is_parts = true;
  if (!Probe::behind_user(probe.prompt(false))) probe.traits.content_is_parts = false;
}

// The marks of content: what the model writes before it that is no reasoning.
void set_content_marks(const AnswerFrame& frame, ResponseFormat& format) {
  std::string open = frame.content_open;
  const std::string reasoning_open(trimmed(format.reasoning_open));
  const std::string reasoning_close(trimmed(format.reasoning_close));
  if (!reasoning_close.empty()) {
    const size_t close = open.find(reasoning_close);
    if (close != std::string::npos) open.erase(0, close + reasoning_close.size());
  }
  if (tags_in(open).empty() || format.channels) return;
  format.content_open = open;
  const std::vector<Tag> tags = tags_in(frame.after);
  if (tags.size() > 1) format.content_close = frame.after.substr(tags[0].begin, tags[0].end - tags[0].begin);
}

void find_all(const text::ChatFormat& chat, ResponseFormat& format) {
  Probe probe(chat);
  find_content_form(probe);
  AnswerFrame frame;
  if (!find_frame(probe, frame)) {
    format.notes.push_back("the chat template writes no answer of an assistant: " + on_one_line(probe.last_refusal()));
    return;
  }
  find_reasoning(probe, frame, format);
  set_content_marks(frame, format);
  find_calls(probe, frame, format);
  format.traits = probe.traits;
  if (format.calls.instructed)
    format.notes.push_back("the chat template writes no calls; they are as its instructions for tools show them");
  if (format.calls.kind == CallKind::None)
    format.notes.push_back("the chat template shows no call of a tool that can be read" +
                           (probe.last_refusal().empty() ? "" : ": " + on_one_line(probe.last_refusal())));
  const bool found = format.reasons() || format.calls.kind != CallKind::None || !format.content_open.empty();
  format.source = found ? FormatSource::Template : FormatSource::Nowhere;
}

}  // namespace

ResponseFormat find_response_format(const text::ChatFormat& chat) {
  ResponseFormat format;
  try {
    find_all(chat, format);
  } catch (const Error& error) {
    format = ResponseFormat();
    format.notes.push_back("the chat template was not understood: " + on_one_line(error.what()));
  }
  return format;
}

ResponseFormat find_response_format(const text::ChatFormat& chat, const OrderedJson& tokenizer_config) {
  ResponseFormat found = find_response_format(chat);
  if (!tokenizer_config.is_object() || !tokenizer_config.contains("response_template")) return found;
  try {
    return declared_format(tokenizer_config["response_template"], found);
  } catch (const Error& error) {
    found.notes.push_back(on_one_line(error.what()));
    return found;
  }
}

}  // namespace cleave::response
