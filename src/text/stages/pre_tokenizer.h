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

/// A pre-tokenizer: splits a text into the pieces that the model encodes one by one, and may rewrite them. Immutable
/// and thread-safe.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Pieces& pieces) const = 0;
};

/// The fate of the matches when a pattern splits a text.
enum class SplitBehavior {
  Removed,             // matches are left out
  Isolated,            // each match is a piece
  MergedWithPrevious,  // each match ends the piece before it
  MergedWithNext,      // each match begins the piece after it
  Contiguous,          // neighbouring matches form one piece
};

/// Splits at the matches of a pattern or, with `invert`, at the text between them.
std::unique_ptr<PreTokenizer> make_split(Pattern pattern, SplitBehavior behavior, bool invert);
/// Splits at the characters of a class.
std::unique_ptr<PreTokenizer> make_split(std::function<bool(char32_t)> in_class, SplitBehavior behavior);
/// Cuts into pieces of `length` characters; the last piece may be shorter.
std::unique_ptr<PreTokenizer> make_fixed_length(size_t length);
/// Writes the bytes of pieces in GPT-2's alphabet (byte_level.h). Before that it puts a space before each piece that
/// does not begin with one, if `add_prefix_space`, and splits by GPT-2's pattern, if `use_regex`.
std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex);
/// The pieces that get a replacement put before them if they do not begin with it.
enum class PrependScheme { Always, First, Never };  // First: only the piece at the beginning of the whole text
/// Writes spaces as `replacement`, one character, and puts one before pieces by `scheme`. With `split`, each
/// replacement begins a piece.
std::unique_ptr<PreTokenizer> make_metaspace(std::string replacement, PrependScheme scheme, bool split);
/// Splits where the script changes; kana count as Han. White space before the first letter is left out.
std::unique_ptr<PreTokenizer> make_unicode_scripts();
/// Several pre-tokenizers, one after the other.
std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> steps);

/// GPT-2's pattern (openai/gpt-2, src/encoder.py).
extern const char* const kGpt2Pattern;

/// Reads the `prepend_scheme` of a Metaspace, which may be a pre-tokenizer or a decoder. Throws Error(Corrupt).
PrependScheme read_prepend_scheme(const JsonField& field);

/// Reads the `pre_tokenizer` of a tokenizer.json. Throws Error(Unsupported) for an unknown type, Error(Corrupt).
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonField& field);

}  // namespace cleave::text
