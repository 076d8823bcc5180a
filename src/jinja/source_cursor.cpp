#include "jinja/source_cursor.h"

#include <cstdint>

#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

std::string with_plain_newlines(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text.push_back('\n');
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text.push_back(source[i]);
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

SourceCursor::SourceCursor(std::string_view source, const std::string& what)
    : what_(what), text_(with_plain_newlines(unicode::sanitize_utf8(source))) {}

char SourceCursor::sign_at(size_t position) const {
  return position < text_.size() && (text_[position] == '-' || text_[position] == '+') ? text_[position] : '\0';
}

size_t SourceCursor::space_end(size_t position) const {
  while (position < text_.size()) {
    const unicode::Utf8Char c = unicode::valid_utf8_at(text_, position);
    if (!unicode::is_python_space(c.code)) break;
    position += c.size;
  }
  return position;
}

void SourceCursor::advance(size_t to) {
  for (; at_ < to; ++at_) {
    if (text_[at_] == '\n') {
      ++place_.line;
      place_.column = 1;
    } else if ((static_cast<uint8_t>(text_[at_]) & 0xC0) != 0x80) {
      ++place_.column;
    }
  }
}

}  // namespace cleave::jinja
