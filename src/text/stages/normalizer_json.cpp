
#include "base/base64.h"
#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/pattern/pattern_json.h"
#include "text/stages/byte_level.h"
#include "text/stages/charsmap.h"
#include "text/stages/normalizer.h"
#include "text/stages/stage_reader.h"
#include "unicode/classes.h"
#include "unicode/normal_form.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

using NormalizerPointer = std::unique_ptr<Normalizer>;

// A normalizer without settings.
class FunctionNormalizer final : public Normalizer {
 public:
  explicit FunctionNormalizer(std::string (*function)(std::string_view)) : function_(function) {}
  std::string apply(std::string_view text) const override { return function_(text); }

 private:
  std::string (*function_)(std::string_view);
};

template <std::string (*Function)(std::string_view)>
NormalizerPointer read_function(const JsonField&) {
  return std::make_unique<FunctionNormalizer>(Function);
}

template <unicode::NormalForm Form>
NormalizerPointer read_unicode_form(const JsonField&) {
  return make_unicode_normalizer(Form);
}

std::string byte_level(std::string_view text) {
  std::string normal;
  append_byte_level(text, normal);
  return normal;
}

// The text that `replace(code, normal)` appends, character by character.
template <class Replace>
std::string by_character(std::string_view text, Replace&& replace) {
  std::string normal;
  normal.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const unicode::Utf8Char c = unicode::valid_utf8_at(text, i);
    replace(c.code, normal);
    i += c.size;
  }
  return normal;
}

std::string strip_accents(std::string_view text) {
  return by_character(text, [](char32_t code, std::string& normal) {
    if (!unicode::is_mark(code)) unicode::append_utf8(normal, code);
  });
}

// The rules of SentencePiece's "nmt" (google/sentencepiece, src/builder.cc): some controls are left out, and all other
// separators become spaces.
std::string nmt(std::string_view text) {
  return by_character(text, [](char32_t code, std::string& normal) {
    const bool gone = (0x01 <= code && code <= 0x08) || code == 0x0B || (0x0E <= code && code <= 0x1F) ||
                      code == 0x7F || code == 0x8F || code == 0x9F;
    const bool space = code == 0x09 || code == 0x0A || code == 0x0C || code == 0x0D || code == 0x1680 ||
                       (0x200B <= code && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
                       code == 0xFEFF || code == unicode::kReplacementCharacter;
    if (!gone) unicode::append_utf8(normal, space ? U' ' : code);
  });
}

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  std::string apply(std::string_view text) const override {
    while (left_ && !text.empty() && unicode::is_whitespace(unicode::valid_utf8_at(text, 0).code))
      text.remove_prefix(unicode::valid_utf8_at(text, 0).size);
    while (right_ && !text.empty()) {
      size_t last = text.size() - 1;
      while ((static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
      if (!unicode::is_whitespace(unicode::valid_utf8_at(text, last).code)) break;
      text = text.substr(0, last);
    }
    return std::string(text);
  }

 private:
  bool left_;
  bool right_;
};

NormalizerPointer read_strip(const JsonField& field) {
  return std::make_unique<Strip>(field.boolean_or("strip_left", true), field.boolean_or("strip_right", true));
}

NormalizerPointer read_prepend(const JsonField& field) {
  return make_prepend(field.at("prepend").string());
}

NormalizerPointer read_replace(const JsonField& field) {
  return make_replace(read_pattern(field.at("pattern")), field.at("content").string());
}

NormalizerPointer read_bert(const JsonField& field) {
  BertNormalizing options;
  options.clean_text = field.boolean_or("clean_text", true);
  options.handle_chinese_chars = field.boolean_or("handle_chinese_chars", true);
  options.lower_case = field.boolean_or("lowercase", true);
  options.strip_accents = field.boolean_or("strip_accents", options.lower_case);
  return make_bert_normalizer(options);
}

NormalizerPointer read_precompiled(const JsonField& field) {
  const JsonField map = field.at("precompiled_charsmap");
  const std::optional<std::string> blob = decode_base64(map.string());
  if (!blob) map.wrong("bytes in base64");
  return make_precompiled_normalizer(Charsmap(*blob, map.path()));
}

NormalizerPointer read_sequence(const JsonField& field) {
  std::vector<NormalizerPointer> steps;
  const JsonField list = field.at("normalizers");
  for (size_t i = 0; i < list.array().size(); ++i) steps.push_back(read_normalizer(list.at(i)));
  return make_normalizer_sequence(std::move(steps));
}

constexpr StageReader<Normalizer> kReaders[] = {
    {"NFC", read_unicode_form<unicode::NormalForm::Nfc>},
    {"NFD", read_unicode_form<unicode::NormalForm::Nfd>},
    {"NFKC", read_unicode_form<unicode::NormalForm::Nfkc>},
    {"NFKD", read_unicode_form<unicode::NormalForm::Nfkd>},
    {"Lowercase", read_function<unicode::lower_case>},
    {"Strip", read_strip},
    {"StripAccents", read_function<strip_accents>},
    {"Replace", read_replace},
    {"Prepend", read_prepend},
    {"Precompiled", read_precompiled},
    {"BertNormalizer", read_bert},
    {"Nmt", read_function<nmt>},
    {"ByteLevel", read_function<byte_level>},
    {"Sequence", read_sequence},
};

}  // namespace

std::unique_ptr<Normalizer> read_normalizer(const JsonField& field) {
  return read_stage(kReaders, field, "normalizer");
}

}  // namespace cleave::text
