#include <array>

#include "base/error.h"
#include "text/models/byte_tokens.h"
#include "text/pattern/pattern_json.h"
#include "text/stages/decoder.h"
#include "text/stages/pre_tokenizer.h"
#include "text/stages/stage_reader.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

using StepPointer = std::unique_ptr<DecoderStep>;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// Leaves out the spaces that English does not write, token by token as the library does.
void clean_up(std::string& text) {
  static constexpr std::array<std::pair<const char*, const char*>, 11> kRules = {{{" .", "."},
                                                                                  {" ?", "?"},
                                                                                  {" !", "!"},
                                                                                  {" ,", ","},
                                                                                  {" ' ", "'"},
                                                                                  {" n't", "n't"},
                                                                                  {" 'm", "'m"},
                                                                                  {" do not", " don't"},
                                                                                  {" 's", "'s"},
                                                                                  {" 've", "'ve"},
                                                                                  {" 're", "'re"}}};
  for (const auto& [from, to] : kRules) replace_all(text, from, to);
}

// A step that rewrites each token by itself.
class TokenwiseStep : public DecoderStep {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) rewrite(tokens[i], i == 0, i + 1 == tokens.size());
  }
  void apply_to_bytes(std::string& token) const override { rewrite(token, false, false); }

 protected:
  virtual void rewrite(std::string& token, bool first, bool last) const = 0;
};

class MetaspaceStep final : public TokenwiseStep {
 public:
  MetaspaceStep(std::string replacement, PrependScheme scheme)
      : replacement_(std::move(replacement)), scheme_(scheme) {}

 protected:
  void rewrite(std::string& token, bool first, bool) const override {
    replace_all(token, replacement_, first && scheme_ != PrependScheme::Never ? "" : " ");
  }

 private:
  std::string replacement_;
  PrependScheme scheme_;
};

class WordPieceStep final : public TokenwiseStep {
 public:
  WordPieceStep(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}

 protected:
  void rewrite(std::string& token, bool first, bool) const override {
    if (!first) {
      if (token.starts_with(prefix_))
        token.erase(0, prefix_.size());
      else
        token.insert(token.begin(), ' ');
    }
    if (cleanup_) clean_up(token);
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

// A suffix ends a word and becomes a space: "low" "er</w>" -> "lower ". The last word has no space behind it.
class BpeStep final : public TokenwiseStep {
 public:
  explicit BpeStep(std::string suffix) : suffix_(std::move(suffix)) {}

 protected:
  void rewrite(std::string& token, bool, bool last) const override { replace_all(token, suffix_, last ? "" : " "); }

 private:
  std::string suffix_;
};

class ReplaceStep final : public TokenwiseStep {
 public:
  ReplaceStep(Pattern pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}

 protected:
  void rewrite(std::string& token, bool, bool) const override {
    if (unicode::is_utf8(token)) token = pattern_.replace_all(token, content_);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class ReplaceTextStep final : public TokenwiseStep {
 public:
  ReplaceTextStep(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

 protected:
  void rewrite(std::string& token, bool, bool) const override { replace_all(token, from_, to_); }

 private:
  std::string from_;
  std::string to_;
};

// Strips characters from both ends of every token; behind a Fuse the whole text is one token.
class StripStep final : public DecoderStep {
 public:
  StripStep(std::string content, size_t start, size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (size_t i = 0; i < start_ && rest.starts_with(content_); ++i) rest.remove_prefix(content_.size());
      for (size_t i = 0; i < stop_ && rest.ends_with(content_); ++i) rest.remove_suffix(content_.size());
      token = std::string(rest);
    }
  }
  void apply_to_bytes(std::string&) const override {}  // in the midst of a text there is no end

 private:
  std::string content_;
  size_t start_;
  size_t stop_;
};

class FuseStep final : public DecoderStep {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens = {std::move(all)};
  }
  void apply_to_bytes(std::string&) const override {}
};

// Joins the bytes of byte tokens in a row; if they are not UTF-8, each byte becomes a U+FFFD.
class ByteFallbackStep final : public DecoderStep {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> rewritten;
    std::string bytes;
    const auto flush = [&] {
      if (unicode::is_utf8(bytes)) {
        if (!bytes.empty()) rewritten.push_back(bytes);
      } else {
        rewritten.insert(rewritten.end(), bytes.size(), "\uFFFD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of_token(token)) {
        bytes.push_back(static_cast<char>(*byte));
        continue;
      }
      flush();
      rewritten.push_back(std::move(token));
    }
    flush();
    tokens = std::move(rewritten);
  }

  void apply_to_bytes(std::string& token) const override {
    if (const auto byte = byte_of_token(token)) token.assign(1, static_cast<char>(*byte));
  }
};

// Connectionist temporal classification: repetitions of a token count as one.
class CtcStep final : public DecoderStep {
 public:
  CtcStep(std::string pad, std::string delimiter, bool cleanup)
      : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}

  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> rewritten;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i] == tokens[i - 1]) continue;
      std::string token = tokens[i];
      apply_to_bytes(token);
      if (!token.empty()) rewritten.push_back(std::move(token));
    }
    tokens = std::move(rewritten);
  }

  void apply_to_bytes(std::string& token) const override {
    replace_all(token, pad_, "");
    if (!cleanup_) return;
    clean_up(token);
    replace_all(token, delimiter_, " ");
  }

 private:
  std::string pad_;
  std::string delimiter_;
  bool cleanup_;
};

class SequenceStep final : public DecoderStep {
 public:
  explicit SequenceStep(std::vector<StepPointer> steps) : steps_(std::move(steps)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (const StepPointer& step : steps_) step->apply(tokens);
  }
  void apply_to_bytes(std::string& token) const override {
    for (const StepPointer& step : steps_) step->apply_to_bytes(token);
  }

 private:
  std::vector<StepPointer> steps_;
};

StepPointer read_byte_level(const JsonField&) {
  return make_byte_level_step();
}
StepPointer read_fuse(const JsonField&) {
  return std::make_unique<FuseStep>();
}
StepPointer read_byte_fallback(const JsonField&) {
  return std::make_unique<ByteFallbackStep>();
}
StepPointer read_metaspace(const JsonField& field) {
  return std::make_unique<MetaspaceStep>(field.at("replacement").string(), read_prepend_scheme(field));
}
StepPointer read_word_piece(const JsonField& field) {
  return make_word_piece_step(field.string_or("prefix", "##"), field.boolean_or("cleanup", true));
}
StepPointer read_bpe(const JsonField& field) {
  return std::make_unique<BpeStep>(field.string_or("suffix", "</w>"));
}
StepPointer read_replace(const JsonField& field) {
  std::string content = field.at("content").string();
  const JsonField pattern = field.at("pattern");
  if (const auto text = pattern.find("String"))
    return std::make_unique<ReplaceTextStep>(text->string(), std::move(content));
  return std::make_unique<ReplaceStep>(read_pattern(pattern), std::move(content));
}
StepPointer read_strip(const JsonField& field) {
  const JsonField content = field.at("content");
  if (content.string().empty()) content.wrong("one character");
  return std::make_unique<StripStep>(content.string(), field.at("start").count(), field.at("stop").count());
}
StepPointer read_ctc(const JsonField& field) {
  return std::make_unique<CtcStep>(field.string_or("pad_token", "<pad>"), field.string_or("word_delimiter_token", "|"),
                                   field.boolean_or("cleanup", true));
}
StepPointer read_sequence(const JsonField& field) {
  std::vector<StepPointer> steps;
  const JsonField list = field.at("decoders");
  for (size_t i = 0; i < list.array().size(); ++i) steps.push_back(read_decoder(list.at(i)));
  return std::make_unique<SequenceStep>(std::move(steps));
}

constexpr StageReader<DecoderStep> kReaders[] = {
    {"ByteLevel", read_byte_level},
    {"Metaspace", read_metaspace},
    {"WordPiece", read_word_piece},
    {"BPEDecoder", read_bpe},
    {"ByteFallback", read_byte_fallback},
    {"Fuse", read_fuse},
    {"Strip", read_strip},
    {"Replace", read_replace},
    {"CTC", read_ctc},
    {"Sequence", read_sequence},
};

}  // namespace

StepPointer make_word_piece_step(std::string prefix, bool cleanup) {
  return std::make_unique<WordPieceStep>(std::move(prefix), cleanup);
}

StepPointer make_sentencepiece_step(size_t strip) {
  std::vector<StepPointer> steps;
  steps.push_back(std::make_unique<ReplaceTextStep>("▁", " "));
  steps.push_back(std::make_unique<ByteFallbackStep>());
  steps.push_back(std::make_unique<FuseStep>());
  steps.push_back(std::make_unique<StripStep>(" ", strip, 0));
  return std::make_unique<SequenceStep>(std::move(steps));
}

StepPointer read_decoder(const JsonField& field) {
  return read_stage(kReaders, field, "decoder");
}

}  // namespace cleave::text
