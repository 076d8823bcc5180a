#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// A search for stop strings in a text that arrives in pieces. Holds back only text that may turn out to be the
/// beginning of a stop string. One object per stream; not thread-safe.
class StopMatcher {
 public:
  /// Empty stop strings are ignored.
  explicit StopMatcher(std::vector<std::string> stops);

  /// Takes a further piece and returns the text that may be shown by now. Once a stop string is complete, all text
  /// before it has been returned, and further calls return "". Of several stop strings the one that ends first counts,
  /// and of those that end there the one that begins first.
  std::string push(std::string_view text);
  /// The text that is held back when the stream ends; "" if a stop string was found.
  std::string flush();
  /// Whether a stop string was found.
  bool stopped() const { return stopped_; }
  /// The one that was found; "" as long as there is none.
  const std::string& found() const { return found_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;  // text that may be the beginning of a stop string
  std::string found_;
  bool stopped_ = false;
};

}  // namespace cleave::text
