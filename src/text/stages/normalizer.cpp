#include "text/stages/normalizer.h"

#include "base/error.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// Limits for the length of a text after a sequence: a factor of its length before, and bytes on top.
constexpr size_t kMaxGrowth = 64;
constexpr size_t kFreeGrowth = 1 << 20;

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  std::string apply(std::string_view text) const override {
    std::string normal(text);
    for (const auto& step : steps_) {
      normal = step->apply(normal);
      if (normal.size() > kMaxGrowth * text.size() + kFreeGrowth)
        fail(ErrorKind::InvalidArgument, "the tokenizer's normalizers turn a text of {} bytes into one of {}",
             text.size(), normal.size());
    }
    return normal;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

class UnicodeNormalizer final : public Normalizer {
 public:
  explicit UnicodeNormalizer(unicode::NormalForm form) : form_(form) {}
  std::string apply(std::string_view text) const override { return unicode::to_normal_form(text, form_); }

 private:
  unicode::NormalForm form_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string text) : text_(std::move(text)) {}
  std::string apply(std::string_view text) const override {
    return text.empty() ? std::string() : std::string(text_).append(text);
  }

 private:
  std::string text_;
};

class Replace final : public Normalizer {
 public:
  Replace(Pattern pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  std::string apply(std::string_view text) const override { return pattern_.replace_all(text, content_); }

 private:
  Pattern pattern_;
  std::string content_;
};

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const BertNormalizing& options) : options_(options) {}

  std::string apply(std::string_view text) const override {
    std::string normal;
    normal.reserve(text.size() + text.size() / 8);
    for (size_t i = 0; i < text.size();) {
      const unicode::Utf8Char c = unicode::valid_utf8_at(text, i);
      append_clean(c.code, normal);
      i += c.size;
    }
    if (options_.strip_accents) normal = without_accents(unicode::to_normal_form(normal, unicode::NormalForm::Nfd));
    return options_.lower_case ? unicode::lower_case(normal) : normal;
  }

 private:
  void append_clean(char32_t code, std::string& normal) const {
    if (options_.clean_text) {
      const bool space = unicode::is_whitespace(code);  // some white space is a control, too
      if (code == 0 || code == unicode::kReplacementCharacter ||
          (unicode::is_other(code) && code != '\t' && code != '\n' && code != '\r'))
        return;
      if (space) code = ' ';
    }
    const bool spaced = options_.handle_chinese_chars && unicode::is_ideograph(code);
    if (spaced) normal.push_back(' ');
    unicode::append_utf8(normal, code);
    if (spaced) normal.push_back(' ');
  }

  static std::string without_accents(std::string_view text) {
    std::string normal;
    normal.reserve(text.size());
    for (size_t i = 0; i < text.size();) {
      const unicode::Utf8Char c = unicode::valid_utf8_at(text, i);
      if (!unicode::is_nonspacing_mark(c.code)) normal.append(text.substr(i, c.size));
      i += c.size;
    }
    return normal;
  }

  BertNormalizing options_;
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer_sequence(std::vector<std::unique_ptr<Normalizer>> steps) {
  return std::make_unique<NormalizerSequence>(std::move(steps));
}

std::unique_ptr<Normalizer> make_unicode_normalizer(unicode::NormalForm form) {
  return std::make_unique<UnicodeNormalizer>(form);
}

std::unique_ptr<Normalizer> make_prepend(std::string text) {
  return std::make_unique<Prepend>(std::move(text));
}

std::unique_ptr<Normalizer> make_replace(Pattern pattern, std::string content) {
  return std::make_unique<Replace>(std::move(pattern), std::move(content));
}

std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizing& options) {
  return std::make_unique<BertNormalizer>(options);
}

}  // namespace cleave::text
