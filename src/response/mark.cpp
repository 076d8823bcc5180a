#include "response/mark.h"

#include <algorithm>

namespace cleave::response {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr size_t kMaxGap = 1000;  // bytes of whitespace within a mark, which are looked at anew with each piece
constexpr size_t kMaxTag = 120;   // bytes; longer than any tag, shorter than prose between two brackets

size_t skip_spaces(std::string_view text, size_t at) {
  const size_t found = text.find_first_not_of(kSpaces, at);
  return found == std::string_view::npos ? text.size() : found;
}

bool is_upper_tag(std::string_view inside) {
  if (!inside.empty() && inside.front() == '/') inside.remove_prefix(1);
  return inside.size() > 1 &&
         std::all_of(inside.begin(), inside.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

// The end of the tag that begins at `begin`; npos where none does.
size_t tag_end(std::string_view text, size_t begin) {
  const bool angle = text[begin] == '<';
  const size_t stop = text.find_first_of(angle ? "<>\n" : "[]\n", begin + 1);
  if (angle && stop == std::string_view::npos) return begin + 1 < text.size() ? text.size() : stop;
  if (stop == std::string_view::npos || text[stop] != (angle ? '>' : ']') || stop - begin > kMaxTag) return text.npos;
  const std::string_view inside = text.substr(begin + 1, stop - begin - 1);
  const bool is_tag = angle ? !inside.empty() && !is_space(inside.front()) : is_upper_tag(inside);
  return is_tag ? stop + 1 : std::string_view::npos;
}

}  // namespace

bool is_space(char c) {
  return kSpaces.find(c) != std::string_view::npos;
}

std::string_view left_trimmed(std::string_view text) {
  return text.substr(skip_spaces(text, 0));
}

std::string_view right_trimmed(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

std::string_view trimmed(std::string_view text) {
  return left_trimmed(right_trimmed(text));
}

std::vector<Tag> tags_in(std::string_view text) {
  std::vector<Tag> tags;
  for (size_t at = text.find_first_of("<["); at != std::string_view::npos;) {
    const size_t end = tag_end(text, at);
    if (end != std::string_view::npos) tags.push_back({at, end});
    at = text.find_first_of("<[", end == std::string_view::npos ? at + 1 : end);
  }
  return tags;
}

Mark::Mark(std::string_view literal) {
  std::vector<bool> ends(literal.size() + 1, false);
  for (const Tag& tag : tags_in(literal)) ends[tag.end] = true;
  std::string chunk;
  const auto flush = [&] {
    if (!chunk.empty()) chunks_.push_back(std::move(chunk));
    chunk.clear();
  };
  for (size_t i = 0; i < literal.size(); ++i) {
    if (ends[i] || is_space(literal[i])) flush();
    if (!is_space(literal[i])) chunk += literal[i];
  }
  flush();
}

Match Mark::at(std::string_view text, size_t begin) const {
  size_t at = begin;
  for (const std::string& chunk : chunks_) {
    const size_t next = &chunk == &chunks_.front() ? at : skip_spaces(text, at);
    if (next - at > kMaxGap) return {};
    at = next;
    const size_t length = std::min(chunk.size(), text.size() - at);
    if (text.compare(at, length, chunk, 0, length) != 0) return {};
    if (length < chunk.size()) return {Fit::Partly, begin, text.size()};
    at += length;
  }
  return {Fit::Yes, begin, at};
}

Match Mark::find(std::string_view text, size_t begin) const {
  if (empty()) return {};
  const char first = chunks_.front().front();
  for (size_t at = text.find(first, begin); at != std::string_view::npos; at = text.find(first, at + 1)) {
    const Match match = this->at(text, at);
    if (match.fit != Fit::No) return match;
  }
  return {};
}

}  // namespace cleave::response
