#include "response/marked_answer_parser.h"

#include <algorithm>

namespace cleave::response {

using Type = ResponseEvent::Type;

MarkedAnswerParser::MarkedAnswerParser(const ResponseFormat& format, ParserSettings settings)
    : syntax_(format.calls),
      settings_(std::move(settings)),
      writer_(settings_.tools, settings_.id_seed),
      calls_(syntax_.kind != CallKind::None && !settings_.tools.empty()),
      bare_(syntax_.is_bare()),
      content_end_(trimmed(format.content_close)),
      content_open_(format.content_open),
      content_close_(format.content_close),
      section_open_(syntax_.section_open),
      section_close_(syntax_.section_close),
      call_open_(syntax_.open),
      call_close_(syntax_.close),
      separator_(syntax_.separator) {
  writer_.require_known_tools(bare_);
  if (settings_.is_held) state_ = State::Start;
  if (settings_.keeps_reasoning || !format.reasons()) return;
  reasoning_open_ = Mark(format.reasoning_open);
  reasoning_close_ = Mark(format.reasoning_close);
  if (!format.begins_in_reasoning(settings_.prompt)) return;
  state_ = State::Reasoning;
  writer_.mark();
}

std::vector<ResponseEvent> MarkedAnswerParser::feed(std::string_view text) {
  text_ += text;
  run(false);
  if (state_ != State::Call && state_ != State::Section) {  // what may turn out to be no call is read again
    text_.erase(0, at_);
    at_ = 0;
  }
  return writer_.take();
}

std::vector<ResponseEvent> MarkedAnswerParser::finish() {
  run(true);
  writer_.finish();
  return writer_.take();
}

void MarkedAnswerParser::run(bool final) {
  while (step(final)) continue;
}

bool MarkedAnswerParser::step(bool final) {
  switch (state_) {
    case State::Content:
      return read_content(final);
    case State::Start:
      return read_start(final);
    case State::Held:
      return read_held(final);
    case State::Reasoning:
      return read_reasoning(final);
    case State::Section:
      return read_section(final);
    case State::Call:
      return read_call(final);
    case State::Closing:
      return read_closing(final);
    case State::Behind:
      return read_behind(final);
  }
  return false;
}

void MarkedAnswerParser::look_for(const Mark& mark, bool final, Found& found) const {
  const Match match = mark.find(text_, at_ + skip_);
  if (match.fit == Fit::No || (final && match.fit == Fit::Partly)) return;
  const bool longer = match.begin == found.match.begin && match.end > found.match.end;
  if (match.begin < found.match.begin || longer) found = {&mark, match};
}

bool MarkedAnswerParser::give_before(Type type, const Found& found, bool final) {
  const size_t end = std::min(found.match.begin, text_.size());
  writer_.text(type, std::string_view(text_).substr(at_, end - at_));
  skip_ -= std::min(skip_, end - at_);
  at_ = end;
  return found.match.fit == Fit::Yes;
}

// An answer without reasoning may begin with what closes it.
std::optional<bool> MarkedAnswerParser::skip_close(bool final) {
  size_t begin = at_;
  while (begin < text_.size() && is_space(text_[begin])) ++begin;
  const Match close = reasoning_close_.empty() ? Match{} : reasoning_close_.at(text_, begin);
  if (close.fit == Fit::Partly && !final) return false;
  if (close.fit != Fit::Yes) return std::nullopt;
  at_ = close.end;
  writer_.mark();
  return true;
}

bool MarkedAnswerParser::read_content(bool final) {
  if (!writer_.has_begun() && skip_ == 0)
    if (const std::optional<bool> decided = skip_close(final)) return *decided;
  if (calls_ && bare_ && !writer_.has_begun() && skip_ == 0)
    if (const std::optional<bool> decided = try_bare_call(final)) return *decided;
  Found found;
  for (const Mark* mark : {&reasoning_open_, &content_open_, &content_close_}) look_for(*mark, final, found);
  if (calls_ && !bare_)
    for (const Mark* mark : {&section_open_, &call_open_}) look_for(*mark, final, found);
  if (!give_before(Type::Content, found, final)) return false;
  if (found.mark == &section_open_ || found.mark == &call_open_) return begin_calls(found, State::Content);
  at_ = found.match.end;
  writer_.mark();
  if (found.mark == &reasoning_open_) state_ = State::Reasoning;
  return true;
}

MarkedAnswerParser::Found MarkedAnswerParser::first_at(std::initializer_list<const Mark*> marks, size_t begin,
                                                       bool final) const {
  for (const Mark* mark : marks) {
    const Match match = mark->empty() ? Match{} : mark->at(text_, begin);
    if (match.fit == Fit::Yes || (match.fit == Fit::Partly && !final)) return {mark, match};
  }
  return {};
}

// What comes first decides what all of it is.
bool MarkedAnswerParser::read_start(bool final) {
  size_t begin = at_;
  while (begin < text_.size() && is_space(text_[begin])) ++begin;
  if (begin == text_.size()) return final && begin > at_ ? (state_ = State::Held, true) : false;
  Found found = first_at({&reasoning_open_, &content_open_}, begin, final);
  if (found.mark == nullptr && calls_ && !bare_) found = first_at({&section_open_, &call_open_}, begin, final);
  if (found.match.fit == Fit::Partly) return false;
  if (found.mark == &section_open_ || found.mark == &call_open_) return begin_calls(found, State::Held);
  if (found.mark == nullptr && calls_ && bare_)
    if (const std::optional<bool> decided = try_bare_call(final)) return *decided;
  state_ = found.mark == &reasoning_open_ ? State::Reasoning : State::Held;
  if (found.mark == nullptr) return true;
  at_ = found.match.end;
  writer_.mark();
  return true;
}

// Content up to the end, where its closing mark may stand: what may be that is held back.
bool MarkedAnswerParser::read_held(bool final) {
  const std::string_view rest = std::string_view(text_).substr(at_);
  size_t kept = std::min(content_end_.size(), rest.size());
  while (!rest.ends_with(std::string_view(content_end_).substr(0, kept))) --kept;
  const bool is_closed = !content_end_.empty() && kept == content_end_.size();
  if (final && !is_closed) kept = 0;
  writer_.text(Type::Content, rest.substr(0, rest.size() - kept));
  at_ = text_.size() - (final ? 0 : kept);
  if (final && is_closed) writer_.mark();
  return false;
}

std::optional<bool> MarkedAnswerParser::try_bare_call(bool final) {
  size_t begin = at_;
  while (begin < text_.size() && is_space(text_[begin])) ++begin;
  if (begin == text_.size()) return final ? std::nullopt : std::optional(false);
  const Match open = section_open_.empty() ? Match{Fit::Yes, begin, begin} : section_open_.at(text_, begin);
  if (open.fit == Fit::Partly && !final) return false;
  const bool is_object = syntax_.kind != CallKind::Object || !section_open_.empty() || text_[begin] == '{';
  if (open.fit != Fit::Yes || !is_object) return std::nullopt;
  attempt_ = at_;
  at_ = open.end;
  resume_ = settings_.is_held ? State::Held : State::Content;
  return begin_call();
}

bool MarkedAnswerParser::read_reasoning(bool final) {
  Found found;
  look_for(reasoning_close_, final, found);
  // Models forget to close their reasoning before a call.
  if (calls_ && !bare_ && !settings_.is_held)
    for (const Mark* mark : {&section_open_, &call_open_}) look_for(*mark, final, found);
  if (!give_before(Type::Reasoning, found, final)) return false;
  if (found.mark != &reasoning_close_) return begin_calls(found, State::Reasoning);
  at_ = found.match.end;
  writer_.mark();
  state_ = settings_.is_held ? State::Start : State::Content;
  return true;
}

bool MarkedAnswerParser::begin_calls(const Found& found, State resume) {
  attempt_ = at_;
  resume_ = resume;
  at_ = found.match.end;
  if (found.mark == &call_open_ || call_open_.empty()) return begin_call();
  state_ = State::Section;
  return true;
}

void MarkedAnswerParser::skip_spaces() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

Match MarkedAnswerParser::match_here(const Mark& mark, bool final) const {
  if (mark.empty()) return {};
  const Match match = mark.at(text_, at_);
  return final && match.fit == Fit::Partly ? Match{} : match;
}

bool MarkedAnswerParser::read_section(bool final) {
  skip_spaces();
  const Match open = match_here(call_open_, final);
  if (open.fit == Fit::Partly) return false;
  if (open.fit == Fit::No) return fail_call();
  at_ = open.end;
  return begin_call();
}

bool MarkedAnswerParser::begin_call() {
  reader_ = make_call_reader(syntax_, settings_.tools, writer_);
  state_ = State::Call;
  return true;
}

bool MarkedAnswerParser::read_call(bool final) {
  const CallReader::Status status = reader_->read(std::string_view(text_).substr(at_), final);
  if (status == CallReader::Status::Wrong) return fail_call();
  if (status == CallReader::Status::More) {
    if (!final) return false;
    if (!writer_.call_begun()) return fail_call();
    writer_.end_call(reader_->whole());
    at_ = text_.size();
    state_ = State::Behind;
    return false;
  }
  at_ += reader_->end();
  reader_.reset();
  writer_.end_call(true);
  state_ = State::Closing;
  return true;
}

bool MarkedAnswerParser::fail_call() {
  reader_.reset();
  if (writer_.call_begun()) writer_.drop_call();
  at_ = attempt_;
  skip_ = 1;
  while (at_ + skip_ < text_.size() && is_space(text_[at_ + skip_ - 1])) ++skip_;
  state_ = resume_;
  return true;
}

bool MarkedAnswerParser::read_closing(bool final) {
  skip_spaces();
  if (at_ == text_.size() && !final) return false;
  const Match close = match_here(call_close_, final);
  if (close.fit == Fit::Partly) return false;
  if (close.fit == Fit::Yes) at_ = close.end;
  state_ = State::Behind;
  return true;
}

bool MarkedAnswerParser::read_behind(bool final) {
  skip_spaces();
  if (at_ == text_.size()) return false;
  attempt_ = at_;
  resume_ = State::Content;
  for (const auto& [mark, next] : {std::pair(&section_close_, State::Content), std::pair(&call_open_, State::Call),
                                   std::pair(&separator_, State::Section)}) {
    const Match match = match_here(*mark, final);
    if (match.fit == Fit::Partly) return false;
    if (match.fit != Fit::Yes) continue;
    at_ = match.end;
    state_ = next;
    if (next == State::Call || (next == State::Section && call_open_.empty())) return begin_call();
    return true;
  }
  if (syntax_.kind == CallKind::Object && call_open_.empty() && (text_[at_] == '{' || text_[at_] == ';')) {
    if (text_[at_] == ';') ++at_;
    return begin_call();
  }
  state_ = State::Content;
  return true;
}

}  // namespace cleave::response
