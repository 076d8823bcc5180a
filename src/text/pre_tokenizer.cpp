#include "text/pre_tokenizer.h"

#include <utility>

#include "text/byte_level.h"
#include "text/split_behavior.h"
#include "text/utf8.h"

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
  ClassSplit(bool (*in_class)(char32_t), SplitBehavior behavior) : in_class_(in_class), behavior_(behavior) {}

  void apply(Pieces& pieces) const override {
    const auto find_all = [&](std::string_view piece, std::vector<Range>& matches) {
      matches.clear();
      for (size_t i = 0; i < piece.size();) {
        const Utf8Char c = valid_utf8_at(piece, i);
        if (in_class_(c.code)) matches.push_back({i, i + c.size});
        i += c.size;
      }
    };
    split_pieces(pieces, find_all, behavior_, false);
  }

 private:
  bool (*in_class_)(char32_t);
  SplitBehavior behavior_;
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

std::unique_ptr<PreTokenizer> make_split(bool (*in_class)(char32_t), SplitBehavior behavior) {
  return std::make_unique<ClassSplit>(in_class, behavior);
}

std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex) {
  return std::make_unique<ByteLevel>(add_prefix_space, use_regex);
}

std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) {
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

}  // namespace cleave::text
