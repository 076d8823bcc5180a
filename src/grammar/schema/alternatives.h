#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ordered_json.h"
#include "grammar/schema/number_texts.h"

namespace cleave::grammar {

/// A schema of the document, or its opposite.
struct Term {
  const OrderedJson* node;  // in the document, which outlives it
  bool negated = false;
  auto operator<=>(const Term&) const = default;
};

/// Schemas that must all hold; none of them: anything goes. They are looked at only when a value comes that far, so
/// schemas may contain themselves.
using Terms = std::vector<Term>;

struct NullRule {};
struct BooleanRule {};

/// A condition on a string's text.
struct TextRule {
  enum class Kind : uint8_t { Pattern, Format, Text } kind;  // Text: the string itself
  std::string text;
  bool negated = false;
};

struct StringRule {
  uint32_t min = 0, max = kUnbounded;  // characters
  std::vector<TextRule> texts;
};

struct ArrayRule {
  // What one schema says of the items. Layers hold at once.
  struct Layer {
    std::vector<Terms> prefix;
    Terms rest;              // items behind the prefix
    bool says_rest = false;  // `items` is there, or an equal of it
    bool evaluates = true;   // counts for `unevaluatedItems`
  };
  std::vector<Layer> layers;
  uint32_t min = 0, max = kUnbounded;

  Terms item(size_t index) const;
  /// From which index on all items have one schema.
  size_t prefix_size() const;
};

struct ObjectRule {
  // What one schema says of the members. Layers hold at once.
  struct Layer {
    std::vector<std::pair<std::string, Terms>> properties;
    std::vector<std::pair<std::string, Terms>> patterns;
    Terms additional;              // members that neither names
    bool says_additional = false;  // `additionalProperties` is there
    bool evaluates = true;         // counts for `unevaluatedProperties`
  };
  std::vector<Layer> layers;
  std::vector<std::string> required;
  uint32_t min = 0, max = kUnbounded;
  std::vector<Terms> names;  // schemas of keys
};

/// One of these values, of any types.
struct ValuesRule {
  std::vector<OrderedJson> values;
};

/// A type of values with its conditions.
using Alternative = std::variant<NullRule, BooleanRule, NumberRule, StringRule, ArrayRule, ObjectRule, ValuesRule>;

/// Values that one of these allows; none of them: no value at all.
using Alternatives = std::vector<Alternative>;

/// All of JSON.
Alternatives anything();
/// All of JSON but the type of an alternative. REQUIRES: it is not ValuesRule.
Alternatives anything_but(const Alternative& alternative);
bool is_anything(const Alternatives& alternatives);

/// `terms` and `more`, each once.
Terms joined(Terms terms, const Terms& more);

}  // namespace cleave::grammar
