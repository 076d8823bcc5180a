#include "app/terminal/rank_stream.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace cleave::app {
namespace {

// Control characters of ASCII: start and end of text, enquiry, end of transmission.
constexpr char kTextBegins = '\x02', kTextEnds = '\x03';
constexpr std::string_view kHasBegun = "\x05", kEnds = "\x04";

constexpr size_t kMostOtherWords = 4096;

}  // namespace

std::string wrapped(std::string_view text) {
  std::string wrapped(1, kTextBegins);
  std::ranges::copy_if(text, std::back_inserter(wrapped), [](char c) { return c != kTextBegins && c != kTextEnds; });
  return wrapped + kTextEnds;
}

std::string wrapped_begin() {
  return wrapped(kHasBegun);
}

std::string wrapped_end() {
  return wrapped(kEnds);
}

std::string RankStream::take(std::string_view bytes) {
  std::string shown;
  for (const char c : bytes) {
    if (c == kTextBegins || c == kTextEnds) {
      if (inside_) shown += text_of(std::exchange(piece_, {}));
      inside_ = c == kTextBegins;
    } else if (inside_) {
      piece_ += c;
    } else if (other_.size() < kMostOtherWords) {
      other_ += c;
    }
  }
  return shown;
}

// What is shown of a rank's text.
std::string RankStream::text_of(std::string piece) {
  if (piece == kHasBegun) ++num_begun_;
  if (piece == kEnds) any_has_ended_ = true;
  if (piece == kHasBegun || piece == kEnds) return {};
  if (piece.starts_with("cleave: error: ") && std::exchange(has_error_, true)) return {};
  return piece;
}

// mpirun frames its texts by lines of dashes and spreads them over many lines.
std::string RankStream::other_words() const {
  std::vector<std::string> words;
  for (const std::string& line : split(other_, '\n')) {
    const size_t begin = line.find_first_not_of(" \t\r"), end = line.find_last_not_of(" \t\r");
    if (begin == std::string::npos || line.find_first_not_of("- \r") == std::string::npos) continue;
    words.push_back(line.substr(begin, end - begin + 1));
  }
  return join(words, " ");
}

}  // namespace cleave::app
