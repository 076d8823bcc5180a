#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_field.h"
#include "text/pattern/pattern.h"
#include "unicode/normal_form.h"

namespace cleave::text {

/// A normalizer: rewrites a text before it is split. Immutable and thread-safe.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// The rewritten text. REQUIRES: `text` is UTF-8.
  virtual std::string apply(std::string_view text) const = 0;
};

/// Several normalizers, one after the other.
std::unique_ptr<Normalizer> make_normalizer_sequence(std::vector<std::unique_ptr<Normalizer>> steps);
/// Unicode's normal form.
std::unique_ptr<Normalizer> make_unicode_normalizer(unicode::NormalForm form);
/// Puts `text` before every text that is not empty.
std::unique_ptr<Normalizer> make_prepend(std::string text);
/// Replaces every match of a pattern by `content`.
std::unique_ptr<Normalizer> make_replace(Pattern pattern, std::string content);

/// The settings of BERT's normalizer.
struct BertNormalizing {
  bool clean_text = true;            // leaves controls out and writes white space as spaces
  bool handle_chinese_chars = true;  // puts spaces around ideographs
  bool strip_accents = true;         // decomposes characters and leaves the accents out
  bool lower_case = true;
};
/// BERT's normalizer.
std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizing& options);

/// Reads the `normalizer` of a tokenizer.json. Throws Error(Unsupported) for an unknown type, Error(Corrupt).
std::unique_ptr<Normalizer> read_normalizer(const JsonField& field);

}  // namespace cleave::text
