#include "response/json_walker.h"

#include <fmt/format.h>

#include <algorithm>

#include "response/mark.h"

namespace cleave::response {
namespace {

constexpr size_t kMaxDepth = 100;  // below what parse_json() takes (256)

// Whether a text is a number of JSON as far as it goes; `whole`: and one that may end here.
bool is_number(std::string_view text, bool whole) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at > begin;
  };
  const auto ended = [&] { return at == text.size(); };
  if (at < text.size() && text[at] == '-') ++at;
  if (ended()) return !whole;
  const size_t first = at;
  if (!digits() || (text[first] == '0' && at - first > 1)) return false;
  if (!ended() && text[at] == '.') {
    ++at;
    if (!digits()) return ended() && !whole;
  }
  if (ended() || (text[at] != 'e' && text[at] != 'E')) return ended();
  ++at;
  if (!ended() && (text[at] == '+' || text[at] == '-')) ++at;
  return digits() ? ended() : ended() && !whole;
}

bool belongs_to_number(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

}  // namespace

bool JsonWalker::walk(std::string_view text) {
  while (position_ < text.size() && state_ != State::Done)
    if (!step(text, text[position_++])) return false;
  return true;
}

bool JsonWalker::step(std::string_view text, char c) {
  switch (state_) {
    case State::String:
      return step_string(text, c);
    case State::Escape:
      state_ = c == 'u' ? State::Unicode : State::String;
      unicode_ = 0;
      unicode_digits_ = 0;
      return c == 'u' || (!wants_low_surrogate_ && std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos);
    case State::Unicode:
      return step_unicode(c);
    case State::Number:
      return step_number(text, c);
    case State::Word:
      return step_word(c);
    default:
      break;
  }
  if (is_space(c)) return true;
  switch (state_) {
    case State::Start:
      return c == '{' && begin_value(text, c);
    case State::ValueOrEnd:
      if (c == ']') return close(c);
      return begin_value(text, c);
    case State::Value:
      return begin_value(text, c);
    case State::KeyOrEnd:
      if (c == '}') return close(c);
      return c == '"' && begin_string(true);
    case State::Key:
      return c == '"' && begin_string(true);
    case State::Colon:
      state_ = State::Value;
      return c == ':';
    default:
      return step_after_value(c);
  }
}

bool JsonWalker::begin_value(std::string_view text, char c) {
  if (listener_ != nullptr) listener_->on_value_begin(brackets_.size(), position_ - 1);
  token_begin_ = position_ - 1;
  if (c == '{' || c == '[') return open(c);
  if (c == '"') return begin_string(false);
  state_ = State::Word;
  if (c == 't') word_rest_ = "rue";
  if (c == 'f') word_rest_ = "alse";
  if (c == 'n') word_rest_ = "ull";
  if (c == 't' || c == 'f' || c == 'n') return true;
  state_ = State::Number;
  return is_number(text.substr(token_begin_, 1), false);
}

bool JsonWalker::open(char bracket) {
  brackets_ += bracket;
  state_ = bracket == '{' ? State::KeyOrEnd : State::ValueOrEnd;
  return brackets_.size() <= kMaxDepth;
}

bool JsonWalker::close(char bracket) {
  if (brackets_.empty() || brackets_.back() != (bracket == '}' ? '{' : '[')) return false;
  brackets_.pop_back();
  end_value(position_);
  return true;
}

bool JsonWalker::begin_string(bool is_key) {
  token_begin_ = position_ - 1;
  is_key_ = is_key;
  state_ = State::String;
  return true;
}

void JsonWalker::end_value(size_t end) {
  if (listener_ != nullptr) listener_->on_value_end(brackets_.size(), end);
  state_ = brackets_.empty() ? State::Done : State::AfterValue;
}

bool JsonWalker::step_after_value(char c) {
  if (c == '}' || c == ']') return close(c);
  state_ = !brackets_.empty() && brackets_.back() == '{' ? State::Key : State::Value;
  return c == ',';
}

bool JsonWalker::step_string(std::string_view text, char c) {
  if (wants_low_surrogate_ && c != '\\') return false;
  if (c == '\\') state_ = State::Escape;
  if (static_cast<unsigned char>(c) < ' ') controls_.push_back(position_ - 1);
  if (c != '"') return true;
  if (!is_key_) {
    end_value(position_);
    return true;
  }
  if (listener_ != nullptr) listener_->on_key(brackets_.size(), text.substr(token_begin_, position_ - token_begin_));
  state_ = State::Colon;
  return true;
}

bool JsonWalker::step_unicode(char c) {
  const size_t digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
  if (digit == std::string_view::npos || (c < '0')) return false;
  unicode_ = unicode_ * 16 + static_cast<uint32_t>(digit);
  if (++unicode_digits_ < 4) return true;
  const bool is_low = unicode_ >= 0xDC00 && unicode_ <= 0xDFFF;
  if (is_low != wants_low_surrogate_) return false;
  wants_low_surrogate_ = unicode_ >= 0xD800 && unicode_ <= 0xDBFF;
  state_ = State::String;
  return true;
}

bool JsonWalker::step_number(std::string_view text, char c) {
  const bool goes_on = belongs_to_number(c);
  const size_t end = goes_on ? position_ : position_ - 1;
  constexpr size_t kMaxDigits = 400;  // more than a double has
  if (end - token_begin_ > kMaxDigits || !is_number(text.substr(token_begin_, end - token_begin_), !goes_on))
    return false;
  if (goes_on) return true;
  end_value(end);
  return step(text, c);
}

bool JsonWalker::step_word(char c) {
  if (c != *word_rest_) return false;
  if (*++word_rest_ == '\0') end_value(position_);
  return true;
}

std::string JsonWalker::escaped(std::string_view text, size_t begin, size_t end) const {
  std::string result;
  for (auto control = std::lower_bound(controls_.begin(), controls_.end(), begin);
       control != controls_.end() && *control < end; ++control) {
    result += text.substr(begin, *control - begin);
    result += fmt::format("\\u{:04x}", static_cast<unsigned>(text[*control]));
    begin = *control + 1;
  }
  return result += text.substr(begin, end - begin);
}

}  // namespace cleave::response
