#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/json_field.h"
#include "text/pattern.h"
#include "text/pieces.h"

namespace cleave::text {

/// Splits a text into the pieces that the model encodes one by one, and may rewrite them. Immutable and thread-safe.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Pieces& pieces) const = 0;
};

/// What becomes of the matches of a pattern that splits.
enum class SplitBehavior {
  Removed,             // they go
  Isolated,            // each is a piece
  MergedWithPrevious,  // each ends the piece before it
  MergedWithNext,      // each begins the piece after it
  Contiguous,          // neighbours form one piece
};

/// Splits at the matches of a pattern; with `invert`, at what lies between them.
std::unique_ptr<PreTokenizer> make_split(Pattern pattern, SplitBehavior behavior, bool invert);
/// Splits at the characters of a class.
std::unique_ptr<PreTokenizer> make_split(bool (*in_class)(char32_t), SplitBehavior behavior);
/// Writes bytes in GPT-2's printable alphabet (byte_level.h); with `use_regex`, splits by GPT-2's pattern first; with
/// `add_prefix_space`, puts a space before each piece that does not begin with one.
std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex);
/// One after the other.
std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> steps);

/// GPT-2's pattern (openai/gpt-2, src/encoder.py).
extern const char* const kGpt2Pattern;

/// Reads the `pre_tokenizer` of a tokenizer.json. Throws Error(Unsupported) for a type that is not read.
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonField& field);

}  // namespace cleave::text
