#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ordered_json.h"
#include "grammar/program/limits.h"
#include "grammar/program/program.h"

namespace cleave::grammar {

// What an answer may be, compiled. The results are immutable and may be kept and shared; TokenGrammar
// (matching/matcher.h) joins one with a vocabulary. All functions throw Error(InvalidArgument) for a malformed
// description or one that no text satisfies, Error(Unsupported) for one with parts that are not done (the message names
// them and their place) and for one that passes a limit. docs/structured-output.md says what is supported. All are
// thread-safe.

/// JSON that a schema allows (draft 2020-12, as far as it is supported), members in the schema's order. `schema` has
/// the order of the request's text: OrderedJson, not Json.
std::shared_ptr<const Program> compile_json_schema(const OrderedJson& schema, const Limits& limits = {});

/// Any JSON object.
std::shared_ptr<const Program> compile_json_object();

/// Texts that a regular expression matches from beginning to end.
std::shared_ptr<const Program> compile_regex(std::string_view expression, const Limits& limits = {});

/// One of some texts.
std::shared_ptr<const Program> compile_choice(const std::vector<std::string>& texts, const Limits& limits = {});

/// The texts of the rule `root` of a grammar in GBNF, llama.cpp's notation.
std::shared_ptr<const Program> compile_gbnf(std::string_view grammar, const Limits& limits = {});

/// A part of an answer, such as a tool call's: the call's markers are literals, its arguments have a schema. A tree; a
/// value.
struct Piece {
  enum class Kind : uint8_t {
    Literal,   // `text`
    Schema,    // JSON that `schema` allows
    Object,    // any JSON object
    Regex,     // `text`, a regular expression that matches all of the piece
    Free,      // any text up to the first occurrence of `text`, which belongs to it; any text at all where it is empty
    Sequence,  // `parts` one behind the other
    Choice,    // one of `parts`
    Repeat,    // `parts[0]`, `min` to `max` times
    Gbnf,      // a grammar in `text`
    Scan,      // any text up to the first occurrence of one of `marks`, then the one of `parts` that belongs to it
  };

  Kind kind = Kind::Sequence;
  std::string text;
  std::vector<std::string> marks;  // of a Scan, none empty
  bool may_end = false;            // a Scan's text may also end before any mark
  OrderedJson schema;
  std::vector<Piece> parts;
  uint32_t min = 0, max = kUnbounded;

  static Piece literal(std::string text);
  static Piece json(OrderedJson schema);
  static Piece json_object();
  static Piece regex(std::string expression);
  static Piece free(std::string mark);
  static Piece sequence(std::vector<Piece> parts);
  static Piece choice(std::vector<Piece> parts);
  static Piece repeat(Piece part, uint32_t min, uint32_t max);
  static Piece gbnf(std::string grammar);
  /// Of several marks that end at the same byte, the longest counts.
  static Piece scan(std::vector<std::pair<std::string, Piece>> marks, bool may_end);
};

std::shared_ptr<const Program> compile_piece(const Piece& piece, const Limits& limits = {});

}  // namespace cleave::grammar
