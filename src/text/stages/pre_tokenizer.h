#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_field.h"
#include "text/pattern/pattern.h"
#include "text/stages/pieces.h"

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
std::unique_ptr<PreTokenizer> make_split(std::function<bool(char32_t)> in_class, SplitBehavior behavior);
/// Pieces of so many characters; the last may be shorter.
std::unique_ptr<PreTokenizer> make_fixed_length(size_t length);
/// Writes bytes in GPT-2's printable alphabet (byte_level.h); with `use_regex`, splits by GPT-2's pattern first; with
/// `add_prefix_space`, puts a space before each piece that does not begin with one.
std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex);
/// When a replacement is put before a piece that does not begin with it.
enum class PrependScheme { Always, First, Never };  // First: where the whole text begins
/// Writes spaces as `replacement` (one character) and puts one in front; with `split`, each begins a piece.
std::unique_ptr<PreTokenizer> make_metaspace(std::string replacement, PrependScheme scheme, bool split);
/// Splits where the script changes; kana count as Han. White space before the first letter vanishes.
std::unique_ptr<PreTokenizer> make_unicode_scripts();
/// One after the other.
std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> steps);

/// GPT-2's pattern (openai/gpt-2, src/encoder.py).
extern const char* const kGpt2Pattern;

/// The `prepend_scheme` of a Metaspace, be it a pre-tokenizer or a decoder.
PrependScheme read_prepend_scheme(const JsonField& field);

/// Reads the `pre_tokenizer` of a tokenizer.json. Throws Error(Unsupported) for a type that is not known.
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonField& field);

}  // namespace cleave::text
