#include "text/tokenizer/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace cleave::text {
namespace {

// Length of the longest suffix of `text` that is a proper prefix of `stop`.
size_t overlap(std::string_view text, std::string_view stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length)
    if (text.substr(text.size() - length) == stop.substr(0, length)) return length;
  return 0;
}

}  // namespace

StopMatcher::StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
}

std::string StopMatcher::push(std::string_view text) {
  if (stopped_) return "";
  held_.append(text);
  // The stop string that ends first counts, and of those that end there the one that begins first. So the result does
  // not depend on how the text was cut into pieces.
  size_t found = std::string::npos;
  size_t found_end = std::string::npos;
  size_t keep = 0;
  for (const std::string& stop : stops_) {
    const size_t begin = held_.find(stop);
    if (begin != std::string::npos && std::pair(begin + stop.size(), begin) < std::pair(found_end, found)) {
      found = begin;
      found_end = begin + stop.size();
    }
    keep = std::max(keep, overlap(held_, stop));
  }
  stopped_ = found != std::string::npos;
  if (stopped_) found_ = held_.substr(found, found_end - found);
  std::string shown = held_.substr(0, stopped_ ? found : held_.size() - keep);
  held_.erase(0, stopped_ ? held_.size() : shown.size());
  return shown;
}

std::string StopMatcher::flush() {
  return std::exchange(held_, "");
}

}  // namespace cleave::text
