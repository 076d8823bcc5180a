#include "jinja/split.h"

#include <algorithm>
#include <limits>

#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

bool is_line_end(char32_t code) {
  return (0x0A <= code && code <= 0x0D) || (0x1C <= code && code <= 0x1E) || code == 0x85 || code == 0x2028 ||
         code == 0x2029;
}

// The beginnings and ends of words.
struct Word {
  size_t begin, end;
};

std::vector<Word> words(std::string_view text) {
  std::vector<Word> found;
  bool in_word = false;
  for (size_t i = 0; i < text.size();) {
    const unicode::Utf8Char c = unicode::valid_utf8_at(text, i);
    const bool space = unicode::is_python_space(c.code);
    if (!space && !in_word) found.push_back({i, i});
    if (!space) found.back().end = i + c.size;
    in_word = !space;
    i += c.size;
  }
  return found;
}

size_t cuts(int64_t limit, size_t possible) {
  return limit < 0 ? possible : std::min(possible, static_cast<size_t>(limit));
}

}  // namespace

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, int64_t limit,
                                       bool from_right) {
  std::vector<std::string_view> parts;
  size_t left = cuts(limit, std::numeric_limits<size_t>::max());
  while (left-- > 0) {
    const size_t at = from_right ? text.rfind(separator) : text.find(separator);
    if (at == std::string_view::npos) break;
    const std::string_view before = text.substr(0, at);
    const std::string_view behind = text.substr(at + separator.size());
    parts.push_back(from_right ? behind : before);
    text = from_right ? before : behind;
  }
  parts.push_back(text);
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_at_space(std::string_view text, int64_t limit, bool from_right) {
  const std::vector<Word> found = words(text);
  std::vector<std::string_view> parts;
  if (found.empty()) return parts;
  const size_t count = cuts(limit, found.size());  // number of words that are parts by themselves
  const size_t rest = found.size() - count;        // number of words that stay together
  const size_t first = from_right ? rest : 0;
  // The words that stay together keep the white space at their end of the text.
  if (from_right && rest > 0) parts.push_back(text.substr(0, found[rest - 1].end));
  for (size_t i = first; i < first + count; ++i)
    parts.push_back(text.substr(found[i].begin, found[i].end - found[i].begin));
  if (!from_right && rest > 0) parts.push_back(text.substr(found[count].begin));
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const unicode::Utf8Char c = unicode::valid_utf8_at(text, i);
    const size_t end = i;
    i += c.size;
    if (!is_line_end(c.code)) continue;
    if (c.code == U'\r' && i < text.size() && text[i] == '\n') ++i;
    lines.push_back(text.substr(begin, (keep_ends ? i : end) - begin));
    begin = i;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to, int64_t count, size_t limit) {
  std::string result;
  size_t done = 0;
  size_t left = cuts(count, std::numeric_limits<size_t>::max());
  const auto check = [&] {
    if (result.size() > limit) raise("MemoryError", "a text beyond the limit of memory");
  };
  if (from.empty()) {  // before each character, and at the end
    for (; left > 0 && done < text.size(); --left) {
      const size_t size = unicode::valid_utf8_at(text, done).size;
      result.append(to).append(text.substr(done, size));
      done += size;
      check();
    }
    result.append(text.substr(done));
    return left > 0 ? result.append(to) : result;
  }
  for (size_t at = text.find(from); at != std::string_view::npos && left > 0; at = text.find(from, done), --left) {
    result.append(text.substr(done, at - done)).append(to);
    done = at + from.size();
    check();
  }
  return result.append(text.substr(done));
}

std::string padded(const Text& text, int64_t width, const std::string& fill, int side, size_t limit) {
  if (fill.empty() || unicode::utf8_at(fill, 0).size != fill.size())
    raise("TypeError", "The fill character must be exactly one character long");
  const auto length = static_cast<int64_t>(text.length);
  if (width <= length) return text.bytes;
  const auto missing = static_cast<size_t>(width - length);
  if (missing > limit / 8) raise("MemoryError", "a text beyond the limit of memory");
  // If the width is odd, Python puts the odd character to the left.
  const size_t left = side == 0 ? 0 : side == 2 ? missing : missing / 2 + (missing & static_cast<size_t>(width) & 1);
  std::string result;
  for (size_t i = 0; i < left; ++i) result += fill;
  result += text.bytes;
  for (size_t i = left; i < missing; ++i) result += fill;
  return result;
}

}  // namespace cleave::jinja
