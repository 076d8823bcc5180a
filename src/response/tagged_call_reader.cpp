#include "response/tagged_call_reader.h"

#include <algorithm>

namespace cleave::response {
namespace {

constexpr size_t kMaxKey = 1024;  // bytes

std::string trailing_spaces(const std::string& literal) {
  return literal.substr(right_trimmed(literal).size());
}

std::string leading_spaces(const std::string& literal) {
  return literal.substr(0, literal.size() - left_trimmed(literal).size());
}

}  // namespace

TaggedCallReader::TaggedCallReader(const CallSyntax& syntax, const ToolSchemas& tools, CallSink& sink)
    : syntax_(syntax),
      tools_(tools),
      sink_(sink),
      head_(syntax),
      open_(syntax.arguments.open),
      key_end_(syntax.arguments.key_end),
      key_end_other_(syntax.arguments.key_end_other),
      close_(syntax.arguments.close),
      separator_(syntax.arguments.separator),
      end_(syntax.arguments.end),
      lead_(trailing_spaces(syntax.arguments.key_end)),
      trail_(leading_spaces(syntax.arguments.close)),
      scanner_(syntax.style) {}

CallReader::Status TaggedCallReader::read(std::string_view text, bool final) {
  while (state_ != State::Done && step(text, final)) continue;
  if (wrong_) return Status::Wrong;
  return state_ == State::Done ? Status::Done : Status::More;
}

bool TaggedCallReader::step(std::string_view text, bool final) {
  switch (state_) {
    case State::Head:
      return read_head(text, final);
    case State::Argument:
      return read_argument(text, final);
    case State::Key:
      return read_key(text, final);
    case State::Value:
      return read_value(text, final);
    case State::Literal:
      return read_literal(text, final);
    case State::Done:
      break;
  }
  return false;
}

bool TaggedCallReader::wrong() {
  wrong_ = true;
  return false;
}

bool TaggedCallReader::read_head(std::string_view text, bool final) {
  const Fit fit = head_.read(text, final);
  if (fit == Fit::No) return wrong();
  if (fit == Fit::Partly) return false;
  // Wait for what follows, so that prose behind a name does not become a call.
  size_t next = head_.end();
  while (next < text.size() && is_space(text[next])) ++next;
  if (next == text.size()) return final ? wrong() : false;
  const Fit end = end_.at(text, next).fit;
  const Fit open = open_.empty() ? Fit::Yes : open_.at(text, next).fit;
  if (end == Fit::No && open == Fit::No) return wrong();
  if (end != Fit::Yes && open != Fit::Yes) return final ? wrong() : false;
  if (!sink_.on_call(head_.name(), head_.id())) return wrong();
  sink_.on_arguments("{");
  at_ = head_.end();
  state_ = State::Argument;
  return true;
}

bool TaggedCallReader::read_argument(std::string_view text, bool final) {
  while (at_ < text.size() && is_space(text[at_])) ++at_;
  if (at_ == text.size()) return false;
  const Match end = end_.at(text, at_);
  if (end.fit == Fit::Yes) {
    sink_.on_arguments("}");
    at_ = end.end;
    state_ = State::Done;
    return true;
  }
  const Match separator = arguments_ > 0 && !separator_.empty() ? separator_.at(text, at_) : Match{};
  if (separator.fit == Fit::Yes) return at_ = separator.end, true;
  const Match open = open_.empty() ? Match{Fit::Yes, at_, at_} : open_.at(text, at_);
  if (end.fit == Fit::Partly || separator.fit == Fit::Partly || open.fit == Fit::Partly) return false;
  if (open.fit == Fit::No) return wrong();
  at_ = open.end;
  state_ = State::Key;
  return true;
}

bool TaggedCallReader::read_key(std::string_view text, bool final) {
  const auto found = [&](const Mark& mark) {
    const Match match = mark.find(text, at_);
    return match.fit == Fit::No ? Match{Fit::No, text.size() + 1, 0} : match;
  };
  const Match string = found(key_end_);
  const Match other = found(key_end_other_);
  if (std::min({string.begin, other.begin, text.size()}) - at_ > kMaxKey) return wrong();
  const bool takes_other =
      other.fit != Fit::No && (other.begin < string.begin || (other.begin == string.begin && string.fit != Fit::Yes));
  const Match& first = takes_other ? other : string;
  const bool undecided = string.begin == other.begin && (string.fit == Fit::Partly || other.fit == Fit::Partly);
  if (first.fit == Fit::No || first.fit == Fit::Partly || (undecided && !final)) return false;
  std::string key(trimmed(text.substr(at_, first.begin - at_)));
  at_ = first.end;
  return begin_value(std::move(key), takes_other);
}

bool TaggedCallReader::begin_value(std::string key, bool is_other) {
  const LiteralStyle& style = syntax_.style;
  if (key.size() > 1 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front())
    key = key.substr(1, key.size() - 2);  // Python's f(**{"a": 1}) and the like
  sink_.on_arguments((arguments_ > 0 ? ", \"" : "\"") + json_escaped(key) + "\": ");
  ++arguments_;
  types_ = tools_.types(head_.name(), key);
  is_other_ = is_other;
  const bool told_string = !key_end_other_.empty() && !is_other;
  const bool only_string = types_.size() == 1 && types_[0] == "string";
  streams_ = syntax_.arguments.raw_strings && !is_other && (told_string || only_string);
  if (told_string) types_ = {"string"};
  given_ = at_;
  begun_ = false;
  ended_ = false;
  scanner_ = LiteralScanner(style);
  state_ = close_.empty() ? State::Literal : State::Value;
  if (streams_) sink_.on_arguments("\"");
  return true;
}

// Whether the value is a list or an object, in whose strings there may be marks.
bool TaggedCallReader::has_parts(std::string_view text) const {
  const bool is_text = types_.empty() || std::ranges::find(types_, "string") != types_.end();
  return !is_text && at_ < text.size() && (text[at_] == '{' || text[at_] == '[');
}

// The mark behind a value: within a string of a value's part, it belongs to that. Where none is found so, the first is
// taken in the end. Each byte is looked at once, however many pieces a value comes in.
Match TaggedCallReader::value_end(std::string_view text, bool final) {
  if (!has_parts(text)) return close_.find(text, given_);
  if (!ended_ && scanner_.scan(text.substr(at_))) {
    ended_ = true;
    behind_ = at_ + scanner_.end();
  }
  const Match close = ended_ ? close_.find(text, behind_) : Match{};
  if (close.fit == Fit::Yes) return close;
  if (ended_) behind_ = close.fit == Fit::Partly ? close.begin : text.size();
  return final ? close_.find(text, given_) : close;
}

// A value up to its closing mark.
bool TaggedCallReader::read_value(std::string_view text, bool final) {
  if (!begun_) {
    const std::string_view rest = text.substr(at_, lead_.size());
    if (rest.size() < lead_.size() && rest == std::string_view(lead_).substr(0, rest.size()) && !final) return false;
    if (rest == lead_) at_ += lead_.size();
    given_ = at_;
    begun_ = true;
  }
  const Match close = value_end(text, final);
  if (close.fit != Fit::Yes) {
    if (has_parts(text)) return false;
    size_t safe = close.fit == Fit::Partly ? close.begin : text.size();
    for (size_t i = 0; i < trail_.size() && safe > given_ && is_space(text[safe - 1]); ++i) --safe;
    if (streams_ && safe > given_) give_string(text.substr(given_, safe - given_));
    given_ = safe;
    return false;
  }
  std::string_view value = text.substr(streams_ ? given_ : at_, close.begin - (streams_ ? given_ : at_));
  if (value.size() >= trail_.size() && value.substr(value.size() - trail_.size()) == trail_)
    value.remove_suffix(trail_.size());
  at_ = close.end;
  state_ = State::Argument;
  if (!streams_) return give_value(value);
  give_string(value);
  sink_.on_arguments("\"");
  return true;
}

// A value that ends by itself.
bool TaggedCallReader::read_literal(std::string_view text, bool final) {
  const std::string_view rest = text.substr(at_);
  if (!scanner_.scan(rest)) return false;
  const std::string_view raw = rest.substr(0, scanner_.end());
  at_ += scanner_.end();
  state_ = State::Argument;
  return give_value(raw);
}

bool TaggedCallReader::give_value(std::string_view raw) {
  if (!syntax_.arguments.raw_strings || is_other_) {
    const std::optional<OrderedJson> value = parse_literal(raw, syntax_.style);
    if (!value && close_.empty()) return wrong();
    if (value) return sink_.on_arguments(json_text(*value)), true;
  }
  sink_.on_arguments(raw_value(raw, types_));
  return true;
}

void TaggedCallReader::give_string(std::string_view piece) {
  if (!piece.empty()) sink_.on_arguments(json_escaped(piece));
}

}  // namespace cleave::response
