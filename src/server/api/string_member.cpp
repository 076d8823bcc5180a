#include "server/api/string_member.h"

#include "base/ordered_json.h"

namespace cleave::server::api {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr size_t kUnicodeEscape = 6;  // bytes: \u and four digits

// The length of an escape at the beginning of a text, with the second half of a pair; 0 where it is not all there.
size_t escape_length(std::string_view text) {
  if (text.size() < 2) return 0;
  if (text[1] != 'u') return 2;
  if (text.size() < kUnicodeEscape) return 0;
  const bool is_high = (text[2] == 'd' || text[2] == 'D') && std::string_view("89abAB").find(text[3]) != text.npos;
  const size_t length = is_high ? 2 * kUnicodeEscape : kUnicodeEscape;
  return text.size() < length ? 0 : length;
}

// What an escape stands for; nothing where it is none.
std::string unescaped(std::string_view escape) {
  const OrderedJson value = OrderedJson::parse('"' + std::string(escape) + '"', nullptr, false);
  return value.is_string() ? value.get<std::string>() : "";
}

}  // namespace

std::string StringMember::feed(std::string_view piece) {
  rest_ += piece;
  if (state_ == State::Before) read_head();
  return state_ == State::Inside ? read_text() : "";
}

void StringMember::read_head() {
  size_t at = 0;
  for (const std::string& token : {std::string("{"), '"' + name_ + '"', std::string(":"), std::string("\"")}) {
    at = rest_.find_first_not_of(kSpaces, at);
    if (at == std::string::npos || rest_.compare(at, token.size(), token) != 0) return;
    at += token.size();
  }
  rest_.erase(0, at);
  state_ = State::Inside;
}

std::string StringMember::read_text() {
  std::string text;
  size_t at = 0;
  while (at < rest_.size()) {
    if (rest_[at] == '"') {
      state_ = State::Behind;
      break;
    }
    const size_t length = rest_[at] == '\\' ? escape_length(std::string_view(rest_).substr(at)) : 1;
    if (length == 0) break;
    text += rest_[at] == '\\' ? unescaped(std::string_view(rest_).substr(at, length)) : rest_.substr(at, 1);
    at += length;
  }
  rest_.erase(0, at);
  return text;
}

}  // namespace cleave::server::api
