#include "response/find_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "response/call_sample.h"
#include "response/difference.h"
#include "response/find_arguments.h"
#include "response/find_instructed_calls.h"
#include "response/mark.h"
#include "response/verify_format.h"

namespace cleave::response {
namespace {

constexpr size_t npos = std::string::npos;

std::vector<ProbeCall> probe_calls(size_t count) {
  std::vector<ProbeCall> calls;
  for (size_t i = 0; i < count; ++i) {
    ProbeCall call{std::string(probe::kNames[i]), OrderedJson::object(), std::string(probe::kIds[i])};
    for (size_t k = 0; k < std::size(probe::kKeys); ++k)
      call.arguments[std::string(probe::kKeys[k])] = fmt::format("valueqx{}{}", i, k);
    calls.push_back(std::move(call));
  }
  return calls;
}

bool drop_prefix(std::string& text, std::string_view prefix) {
  const std::string_view begin = left_trimmed(text);
  const std::string_view wanted = trimmed(prefix);
  if (wanted.empty() || begin.substr(0, wanted.size()) != wanted) return false;
  text = begin.substr(wanted.size());
  return true;
}

// Takes away what stands before calls and is none of theirs: reasoning, even if it is empty, and content.
void drop_other_parts(const Probe& probe, const ResponseFormat& format, std::string& text) {
  if (drop_prefix(text, format.reasoning_open) || format.prompt_opens_reasoning) {
    const std::string close(trimmed(format.reasoning_close));
    const size_t at = text.find(close);
    const bool is_empty = at != npos && trimmed(std::string_view(text).substr(0, at)).empty();
    if (is_empty) text.erase(0, at);
  }
  drop_prefix(text, format.reasoning_close);
  const size_t content = probe.call_content.empty() ? npos : text.find(probe.call_content);
  if (content != npos) text.erase(0, content + probe.call_content.size());
  drop_prefix(text, format.content_open);
  drop_prefix(text, format.content_close);
}

// What the model writes to call these tools; nothing where the template does not write it.
std::optional<CallSample> sample_of(const Probe& probe, const AnswerFrame& frame, const ResponseFormat& format,
                                    std::vector<ProbeCall> calls) {
  const auto turn = Probe::behind_user(probe.conversation(OrderedJson::array({probe.answer_with_calls(calls)}), true));
  if (!turn) return std::nullopt;
  CallSample sample{*turn, std::move(calls)};
  const std::string prompt = Probe::behind_user(probe.prompt(true)).value_or("");
  sample.text.erase(0, common_prefix(prompt, sample.text).size());
  for (const ProbeCall& call : sample.calls)
    for (const std::string& word : {call.name, call.arguments.begin().key(), call.arguments.front().get<std::string>()})
      if (sample.text.find(word) == npos) return std::nullopt;
  drop_other_parts(probe, format, sample.text);
  const size_t end = common_suffix(sample.text, frame.after).size();
  sample.text.resize(sample.text.size() - end);
  return sample;
}

// Where an id of the form PREFIX.NAME:NUMBER begins and ends around a name; the name's own place where there is none.
Span named_id(const std::string& text, const Span& name) {
  size_t end = name.end;
  if (end + 1 >= text.size() || text[end] != ':' || text[end + 1] < '0' || text[end + 1] > '9') return name;
  for (++end; end < text.size() && text[end] >= '0' && text[end] <= '9';) ++end;
  size_t begin = name.begin;
  const auto in_id = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_'; };
  while (begin > 0 && in_id(text[begin - 1])) --begin;
  return {begin, end};
}

/// The pieces of a text between two of its places.
class PieceWriter {
 public:
  PieceWriter(const std::string& text, size_t begin) : text_(text), at_(begin) {}

  void add(HeadPiece::Kind kind, Span span, std::string text = "") {
    literal_to(span.begin);
    pieces.push_back({kind, std::move(text)});
    at_ = span.end;
  }
  void literal_to(size_t end) {
    if (end > at_) pieces.push_back({HeadPiece::Kind::Literal, text_.substr(at_, end - at_)});
    at_ = std::max(at_, end);
  }

  std::vector<HeadPiece> pieces;

 private:
  const std::string& text_;
  size_t at_;
};

// From a call's first part to its arguments.
std::vector<HeadPiece> head_of(const CallSample& sample, CallSpan& span) {
  using Kind = HeadPiece::Kind;
  const Span id_with_name = named_id(sample.text, span.name);
  span.whole.begin = std::min(span.whole.begin, id_with_name.begin);
  PieceWriter writer(sample.text, span.whole.begin);
  const size_t id = sample.text.find(sample.calls[0].id, span.whole.begin);
  const bool has_id = id < span.arguments.begin;
  const Span id_span{id, id + sample.calls[0].id.size()};
  if (has_id && id < span.name.begin) writer.add(Kind::Id, id_span);
  if (id_with_name.end != span.name.end)
    writer.add(Kind::NamedId, id_with_name,
               sample.text.substr(id_with_name.begin, span.name.begin - id_with_name.begin));
  else
    writer.add(Kind::Name, span.name);
  if (has_id && id > span.name.begin) writer.add(Kind::Id, id_span);
  writer.literal_to(span.arguments.begin);
  return writer.pieces;
}

// An object with its parts in their places, for calls that are forced.
std::vector<HeadPiece> written_object(const CallSample& sample, const CallSpan& span) {
  using Kind = HeadPiece::Kind;
  const ProbeCall& call = sample.calls[0];
  std::vector<std::pair<Span, Kind>> parts = {{span.name, Kind::Name}};
  for (size_t at = sample.text.find('{', span.whole.begin + 1); at < span.whole.end;
       at = sample.text.find('{', at + 1)) {
    const auto object = parse_literal_prefix(std::string_view(sample.text).substr(at), {});
    if (object && object->value == call.arguments) parts.push_back({{at, at + object->end}, Kind::Arguments});
  }
  const size_t id = sample.text.find(call.id, span.whole.begin);
  if (id < span.whole.end) parts.push_back({{id, id + call.id.size()}, Kind::Id});
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
  PieceWriter writer(sample.text, span.whole.begin);
  for (const auto& [part, kind] : parts) writer.add(kind, part);
  writer.literal_to(span.whole.end);
  return writer.pieces;
}

std::optional<CallSpan> find_span(const CallSample& sample, size_t begin, size_t index, CallSyntax& syntax) {
  const ProbeCall& call = sample.calls[index];
  const bool first = index == 0;
  if (first || syntax.kind == CallKind::Object)
    if (const auto object = find_object_call(sample.text, begin, call)) {
      if (first) syntax.kind = CallKind::Object, syntax.keys = object->keys, syntax.style = object->style;
      return object->span;
    }
  if (first || syntax.kind == CallKind::Named)
    if (const auto named = find_named_call(sample.text, begin, call)) {
      if (first) syntax.kind = CallKind::Named, syntax.style = named->style;
      return named->span;
    }
  if (first) syntax.kind = CallKind::Tagged;
  return syntax.kind == CallKind::Tagged ? find_tagged_call(sample.text, begin, call) : std::nullopt;
}

// Splits what stands before, between and behind calls into the marks of a call and those of the section of all.
void set_surroundings(std::string before, std::string between, std::string after, CallSyntax& syntax) {
  if (!syntax.several) {
    syntax.open = std::move(before);
    syntax.close = std::move(after);
    return;
  }
  syntax.open = common_suffix(before, between);
  before.resize(before.size() - syntax.open.size());
  between.resize(between.size() - syntax.open.size());
  syntax.close = common_prefix(between, after);
  syntax.section_open = std::move(before);
  syntax.separator = between.substr(syntax.close.size());
  syntax.section_close = after.substr(syntax.close.size());
}

// The first of the marks behind a call, which alone is needed to end it: `</function>` of `</function>\n</tool_call>`.
void split_end(CallSyntax& syntax) {
  const std::vector<Tag> tags = tags_in(syntax.close);
  size_t end = syntax.close.size();
  if (!tags.empty()) {
    const bool is_first = trimmed(std::string_view(syntax.close).substr(0, tags[0].begin)).empty();
    end = is_first ? tags[0].end : tags[0].begin;
  }
  syntax.arguments.end = syntax.close.substr(0, end);
  syntax.close.erase(0, end);
}

// Whether marks hold a word of the probe, as tags named for a key do: then they are no marks.
bool has_probe_words(const CallSyntax& syntax) {
  const ArgumentMarks& marks = syntax.arguments;
  for (const std::string* mark :
       {&syntax.section_open, &syntax.section_close, &syntax.open, &syntax.close, &syntax.separator, &marks.open,
        &marks.key_end, &marks.key_end_other, &marks.close, &marks.separator, &marks.end})
    if (mark->find("qx") != npos) return true;
  return false;
}

// How the calls of a sample are written.
std::optional<CallSyntax> syntax_of(const Probe& probe, const CallSample& sample) {
  CallSyntax syntax;
  syntax.several = sample.calls.size() > 1;
  std::optional<CallSpan> first = find_span(sample, 0, 0, syntax);
  if (!first) return std::nullopt;
  if (syntax.kind != CallKind::Object) syntax.head = head_of(sample, *first);
  if (syntax.kind == CallKind::Object) syntax.written = written_object(sample, *first);
  std::optional<CallSpan> last = first;
  if (syntax.several) last = find_span(sample, first->whole.end, 1, syntax);
  if (!last || last->whole.begin < first->whole.begin) return std::nullopt;
  if (syntax.several && syntax.kind != CallKind::Object)
    last->whole.begin = std::min(last->whole.begin, named_id(sample.text, last->name).begin);
  std::string between =
      syntax.several ? sample.text.substr(first->whole.end, last->whole.begin - first->whole.end) : "";
  std::string after = sample.text.substr(last->whole.end);
  if (syntax.kind == CallKind::Tagged) {
    std::string& behind = syntax.several ? between : after;
    const size_t length = behind.size();
    const bool has_tail = syntax.head.back().kind == HeadPiece::Kind::Literal;
    std::string tail = has_tail ? syntax.head.back().text : "";
    find_argument_marks(probe, sample, *first, tail, behind, syntax);
    if (has_tail) syntax.head.back().text = tail;
    if (syntax.several) after.erase(0, std::min(length - behind.size(), after.size()));
  }
  set_surroundings(sample.text.substr(0, first->whole.begin), between, after, syntax);
  if (syntax.kind == CallKind::Tagged) split_end(syntax);
  return syntax;
}

// How calls to tools are written in channels.
bool set_channel_calls(const CallSample& sample, ResponseFormat& format) {
  const auto named = find_named_call(sample.text, 0, sample.calls[0]);
  ChannelSyntax& channels = *format.channels;
  if (!named || !named->style.is_json()) return false;
  const size_t name = named->span.name.begin;
  const size_t space = sample.text.find_last_of(" >", name);
  channels.recipient = sample.text.substr(space == npos ? 0 : space + 1, name - (space == npos ? 0 : space + 1));
  channels.call_header = sample.text.substr(0, name) + '\0' +
                         sample.text.substr(named->span.name.end, named->span.arguments.begin - named->span.name.end);
  const std::string behind = sample.text.substr(named->span.arguments.end);
  const std::vector<Tag> tags = tags_in(behind);
  const std::string end = tags.empty() ? "" : behind.substr(tags[0].begin, tags[0].end - tags[0].begin);
  if (!end.empty() && std::find(channels.ends.begin(), channels.ends.end(), end) == channels.ends.end())
    channels.ends.push_back(end);
  format.calls.kind = CallKind::Channels;
  return true;
}

/// One way to write a message of calls.
struct Form {
  size_t calls;
  bool ids_hold_names;
  bool objects;
  bool null_content;
  const char* content;
};

std::vector<Form> forms() {
  std::vector<Form> all;
  for (const size_t calls : {2, 1})
    for (const bool ids_hold_names : {false, true})
      for (const bool objects : {true, false})
        for (const auto& [null_content, content] :
             {std::pair(false, ""), std::pair(true, ""), std::pair(false, "Qxspeech first")})
          all.push_back({calls, ids_hold_names, objects, null_content, content});
  return all;
}

void apply(const Form& form, Probe& probe) {
  probe.ids_hold_names = form.ids_hold_names;
  probe.traits.arguments_are_objects = form.objects;
  probe.traits.call_content_is_null = form.null_content;
  probe.call_content = form.content;
}

bool try_form(const Form& form, Probe& probe, const AnswerFrame& frame, ResponseFormat& format) {
  apply(form, probe);
  const std::optional<CallSample> sample = sample_of(probe, frame, format, probe_calls(form.calls));
  if (!sample) return false;
  if (format.channels) return set_channel_calls(*sample, format);
  const std::optional<CallSyntax> syntax = syntax_of(probe, *sample);
  if (!syntax || has_probe_words(*syntax)) return false;
  format.calls = *syntax;
  return parses_back(format, sample->text, sample->calls);
}

// Mistral's templates take ids of nine letters alone.
bool refuses_long_ids(const Probe& probe) {
  ProbeCall call = probe_calls(1)[0];
  call.id = "call_0123456789abcdefghij";
  return !probe.ids_hold_names && !probe.conversation(OrderedJson::array({probe.answer_with_calls({call})}), true);
}

}  // namespace

void find_calls(Probe& probe, const AnswerFrame& frame, ResponseFormat& format) {
  const Probe original = probe;
  std::optional<Form> second_best;  // one that is understood, though its arguments are not JSON
  for (const Form& form : forms()) {
    if (!try_form(form, probe, frame, format)) continue;
    if (format.calls.style.python && format.calls.kind != CallKind::Tagged && form.objects) {
      if (!second_best) second_best = form;
      continue;
    }
    probe.traits.ids_are_short = refuses_long_ids(probe);
    return;
  }
  if (second_best && try_form(*second_best, probe, frame, format)) return;
  format.calls = find_instructed_calls(probe);
  probe.traits = original.traits;
  probe.call_content = original.call_content;
  probe.ids_hold_names = original.ids_hold_names;
}

}  // namespace cleave::response
