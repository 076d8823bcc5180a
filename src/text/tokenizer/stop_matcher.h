#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// Looks for stop strings in a text that arrives in pieces, and holds back no more than what may become the beginning
/// of one. One object per stream; not thread-safe.
class StopMatcher {
 public:
  /// Empty stop strings are ignored.
  explicit StopMatcher(std::vector<std::string> stops);

  /// Text that may be shown after this piece. Once a stop string is complete, the text before it has
  /// been given and nothing more comes. Of several, the one that ends first counts, of those the one that begins first.
  std::string push(std::string_view text);
  /// The text held back, when the stream ends without a stop string; "" after one was found.
  std::string flush();
  /// Whether a stop string was found.
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;  // shown later or never; may begin a stop string
  bool stopped_ = false;
};

}  // namespace cleave::text
