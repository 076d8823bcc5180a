#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inference/embedding/sentence_modules.h"
#include "inference/opened.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::inference {

/// The tokens of a text of which a vector is wanted.
struct PreparedText {
  std::vector<int32_t> ids;
  int64_t left_out = 0;  // tokens at its beginning that do not count: those of a prompt
  bool is_cut = false;   // the text has more
};

/// Turns texts into tokens for an embedding model: behind a prompt, and no more of them than the model reads. Of a
/// longer text the first are kept, between the special tokens around it, or the last where tokenizer_config.json says
/// so. Immutable; thread-safe. Borrows all.
class TextPreparation {
 public:
  /// `max_length`: most tokens of a text, special ones included, in place of what the model's files say. Throws
  /// Error(InvalidArgument) where the model has no such positions, or where special tokens alone are more.
  TextPreparation(const OpenedModel& opened, const SentenceModules& modules, const text::Tokenizer& tokenizer,
                  std::optional<int64_t> max_length);

  /// The model's prompt of this name; that of its default where there is none. Throws Error(InvalidArgument) naming
  /// the prompts that there are.
  std::string prompt(const std::optional<std::string>& name) const;

  PreparedText prepare(std::string_view prompt, std::string_view text) const;

  /// Nothing where texts of any length are read.
  std::optional<int64_t> max_length() const { return max_length_; }

 private:
  std::string spelled(std::string_view text) const;
  std::vector<int32_t> cut(std::string_view text, const std::vector<int32_t>& all) const;
  int64_t prompt_tokens(std::string_view prompt) const;

  const SentenceModules& modules_;
  const text::Tokenizer& tokenizer_;
  std::optional<int64_t> max_length_;
  bool keeps_end_;
  std::vector<int32_t> special_;  // those around an empty text
};

}  // namespace cleave::inference
