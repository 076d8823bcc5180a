#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/pattern/range.h"

namespace cleave::text {

/// A text that pre-tokenizers cut into pieces: the text, and its ordered, non-empty ranges that the model will encode.
/// Borrows the text that it is made from; after a rewrite() it has a text of its own.
class Pieces {
 public:
  /// `at_start`: whether `text` is the beginning of the whole text that is being encoded.
  explicit Pieces(std::string_view text, bool at_start = true) : text_(text), at_start_(at_start && !text.empty()) {
    if (!text.empty()) ranges_.push_back({0, text.size()});
  }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  size_t size() const { return ranges_.size(); }
  std::string_view operator[](size_t i) const {
    return text_.substr(ranges_[i].begin, ranges_[i].end - ranges_[i].begin);
  }

  /// Whether the first piece stands at the beginning of the whole text.
  bool at_start() const { return at_start_; }

  /// Replaces each piece by parts of it. `cut(piece, parts)` appends the ranges of the parts, relative to the piece;
  /// empty ranges are left out.
  template <class Cut>
  void split(Cut&& cut) {
    std::vector<Range> finer;
    finer.reserve(ranges_.size());
    std::vector<Range> parts;
    for (size_t i = 0; i < ranges_.size(); ++i) {
      parts.clear();
      cut((*this)[i], parts);
      const size_t base = ranges_[i].begin;
      for (const Range& part : parts)
        if (part.begin < part.end) finer.push_back({base + part.begin, base + part.end});
    }
    at_start_ = at_start_ && !finer.empty() && finer.front().begin == ranges_.front().begin;
    ranges_ = std::move(finer);
  }

  /// Replaces the text of each piece. `append(piece, text)` appends the new text of the piece.
  template <class Append>
  void rewrite(Append&& append) {
    std::string rewritten;
    rewritten.reserve(text_.size() + text_.size() / 2);
    std::vector<Range> ranges;
    ranges.reserve(ranges_.size());
    for (size_t i = 0; i < ranges_.size(); ++i) {
      const size_t begin = rewritten.size();
      append((*this)[i], rewritten);
      if (rewritten.size() > begin) ranges.push_back({begin, rewritten.size()});
      if (i == 0) at_start_ = at_start_ && rewritten.size() > begin;
    }
    own_ = std::move(rewritten);
    text_ = own_;
    ranges_ = std::move(ranges);
  }

 private:
  std::string own_;
  std::string_view text_;
  std::vector<Range> ranges_;
  bool at_start_;
};

}  // namespace cleave::text
