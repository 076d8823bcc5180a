#include "text/stages/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "text/stages/byte_level.h"
#include "text/stages/split_behavior.h"
#include "unicode/utf8.h"

namespace cleave::text {

const char* const kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

// Splits pieces at what `find_all(piece, matches)` finds.
template <class FindAll>
void split_pieces(Pieces& pieces, FindAll&& find_all, SplitBehavior behavior, bool invert) {
  std::vector<Range> matches;
  pieces.split([&](std::string_view piece, std::vector<Range>& parts) {
    find_all(piece, matches);
    split_at(matches, piece.size(), behavior, invert, parts);
  });
}

class PatternSplit final : public PreTokenizer {
 public:
  PatternSplit(Pattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void apply(Pieces& pieces) const override {
    Pattern::Finder finder(pattern_);
    const auto find_all = [&](std::string_view piece, std::vector<Range>& matches) { finder.find_all(piece, matches); };
    split_pieces(pieces, find_all, behavior_, invert_);
  }

 private:
  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

class ClassSplit final : public PreTokenizer {
 public:
  ClassSplit(std::function<bool(char32_t)> in_class, SplitBehavior behavior)
      : in_class_(std::move(in_class)), behavior_(behavior) {}

  void apply(Pieces& pieces) const override {
    const auto find_all = [&](std::string_view piece, std::vector<Range>& matches) {
      matches.clear();
      for (size_t i = 0; i < piece.size();) {
        const unicode::Utf8Char c = unicode::valid_utf8_at(piece, i);
        if (in_class_(c.code)) matches.push_back({i, i + c.size});
        i += c.size;
      }
    };
    split_pieces(pieces, find_all, behavior_, false);
  }

 private:
  std::function<bool(char32_t)> in_class_;
  SplitBehavior behavior_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(size_t length) : length_(length) {}

  void apply(Pieces& pieces) const override {
    pieces.split([&](std::string_view piece, std::vector<Range>& parts) {
      for (size_t begin = 0; begin < piece.size();) {
        size_t end = begin;
        for (size_t i = 0; i < length_ && end < piece.size(); ++i) end += unicode::valid_utf8_at(piece, end).size;
        parts.push_back({begin, end});
        begin = end;
      }
    });
  }

 private:
  size_t length_;
};

class Metaspace final : public PreTokenizer {
 public:
  Metaspace(std::string replacement, PrependScheme scheme, bool split)
      : replacement_(std::move(replacement)), scheme_(scheme), split_(split) {}

  void apply(Pieces& pieces) const override {
    bool prepend = scheme_ == PrependScheme::Always || (scheme_ == PrependScheme::First && pieces.at_start());
    pieces.rewrite([&](std::string_view piece, std::string& text) {
      if (prepend && !piece.starts_with(' ') && !piece.starts_with(replacement_)) text.append(replacement_);
      append_marked(piece, text);
      prepend = scheme_ == PrependScheme::Always;
    });
    if (split_) pieces.split([&](std::string_view piece, std::vector<Range>& parts) { split_words(piece, parts); });
  }

 private:
  void append_marked(std::string_view piece, std::string& text) const {
    for (size_t at = 0; at < piece.size();) {
      const size_t space = std::min(piece.find(' ', at), piece.size());
      text.append(piece.substr(at, space - at));
      if (space < piece.size()) text.append(replacement_);
      at = space + 1;
    }
  }

  void split_words(std::string_view piece, std::vector<Range>& parts) const {
    for (size_t begin = 0; begin < piece.size();) {
      const size_t end = std::min(piece.find(replacement_, begin + 1), piece.size());
      parts.push_back({begin, end});
      begin = end;
    }
  }

  std::string replacement_;
  PrependScheme scheme_;
  bool split_;
};

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex) : add_prefix_space_(add_prefix_space) {
    if (use_regex) split_ = make_split(Pattern::regex(kGpt2Pattern, "GPT-2's pattern"), SplitBehavior::Isolated, false);
  }

  void apply(Pieces& pieces) const override {
    if (add_prefix_space_)
      pieces.rewrite([](std::string_view piece, std::string& text) {
        if (!piece.starts_with(' ')) text.push_back(' ');
        text.append(piece);
      });
    if (split_) split_->apply(pieces);
    pieces.rewrite(append_byte_level);
  }

 private:
  bool add_prefix_space_;
  std::unique_ptr<PreTokenizer> split_;
};

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void apply(Pieces& pieces) const override {
    for (const auto& step : steps_) step->apply(pieces);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_split(Pattern pattern, SplitBehavior behavior, bool invert) {
  return std::make_unique<PatternSplit>(std::move(pattern), behavior, invert);
}

std::unique_ptr<PreTokenizer> make_split(std::function<bool(char32_t)> in_class, SplitBehavior behavior) {
  return std::make_unique<ClassSplit>(std::move(in_class), behavior);
}

std::unique_ptr<PreTokenizer> make_fixed_length(size_t length) {
  return std::make_unique<FixedLength>(length);
}

std::unique_ptr<PreTokenizer> make_metaspace(std::string replacement, PrependScheme scheme, bool split) {
  return std::make_unique<Metaspace>(std::move(replacement), scheme, split);
}

std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex) {
  return std::make_unique<ByteLevel>(add_prefix_space, use_regex);
}

std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) {
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

}  // namespace cleave::text
