#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::response {

/// What a text is at some place, of which more may come.
enum class Fit {
  No,
  Partly,  // it ends where it may still become a match
  Yes,
};

struct Match {
  Fit fit = Fit::No;
  size_t begin = 0;
  size_t end = 0;
};

/// A literal that marks something in an answer, as models write it: whitespace around it does not count, and where it
/// has whitespace, or a tag ends in it (`>` or `]`), there may be any whitespace and none. Immutable.
class Mark {
 public:
  Mark() = default;
  explicit Mark(std::string_view literal);

  bool empty() const { return chunks_.empty(); }
  /// Whether the text has the mark right at `begin`. The match holds no whitespace around the mark.
  Match at(std::string_view text, size_t begin) const;
  /// The first place from `begin` on where the text has the mark, or ends with what may become it.
  Match find(std::string_view text, size_t begin) const;

 private:
  std::vector<std::string> chunks_;  // between which there may be whitespace
};

/// The parts of a text that are tags: `<think>`, `</tool_call>`, `[ARGS]`. The last one may be unfinished at the end of
/// the text, as in `<function=`.
struct Tag {
  size_t begin;
  size_t end;
};
std::vector<Tag> tags_in(std::string_view text);

bool is_space(char c);
/// The text without whitespace at its ends.
std::string_view trimmed(std::string_view text);
std::string_view left_trimmed(std::string_view text);
std::string_view right_trimmed(std::string_view text);

}  // namespace cleave::response
