#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// A part of a text, in bytes.
struct Range {
  size_t begin;
  size_t end;
  bool operator==(const Range&) const = default;
};

/// A stretch of text on its way through the pre-tokenizers: a text and the ordered, non-empty ranges of it that are
/// still to be encoded. Borrows the text it is made from until a rewrite gives it its own.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {
    if (!text.empty()) ranges_.push_back({0, text.size()});
  }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  size_t size() const { return ranges_.size(); }
  std::string_view operator[](size_t i) const {
    return text_.substr(ranges_[i].begin, ranges_[i].end - ranges_[i].begin);
  }

  /// Replaces each piece by parts of it: `cut(piece, parts)` appends ranges relative to the piece. Empty ones are
  /// dropped.
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
    ranges_ = std::move(finer);
  }

  /// Replaces the text of each piece: `append(piece, text)` appends what stands for the piece.
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
    }
    own_ = std::move(rewritten);
    text_ = own_;
    ranges_ = std::move(ranges);
  }

 private:
  std::string own_;
  std::string_view text_;
  std::vector<Range> ranges_;
};

}  // namespace cleave::text
