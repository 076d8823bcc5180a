#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_field.h"
#include "text/pattern/pattern.h"
#include "unicode/normal_form.h"

namespace cleave::text {

/// Rewrites a text before it is split. Immutable and thread-safe.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// The normal form of `text`, which must be UTF-8.
  virtual std::string apply(std::string_view text) const = 0;
};

/// One after the other.
std::unique_ptr<Normalizer> make_normalizer_sequence(std::vector<std::unique_ptr<Normalizer>> steps);
std::unique_ptr<Normalizer> make_unicode_normalizer(unicode::NormalForm form);
/// Puts a text before one that is not empty.
std::unique_ptr<Normalizer> make_prepend(std::string text);
/// Puts `content` in place of every match.
std::unique_ptr<Normalizer> make_replace(Pattern pattern, std::string content);

/// How BERT prepares a text.
struct BertNormalizing {
  bool clean_text = true;            // controls go, white space becomes spaces
  bool handle_chinese_chars = true;  // ideographs get spaces around them
  bool strip_accents = true;         // by canonical decomposition
  bool lower_case = true;
};
std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizing& options);

/// Reads the `normalizer` of a tokenizer.json. Throws Error(Unsupported) for a type that is not known.
std::unique_ptr<Normalizer> read_normalizer(const JsonField& field);

}  // namespace cleave::text
