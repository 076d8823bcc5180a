#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "grammar/schema/json_rules.h"
#include "grammar/schema/resolver.h"

namespace cleave::grammar {

/// Makes rules of a schema document. Borrows all it is given. Not thread-safe.
class SchemaCompiler {
 public:
  /// `root` and `rules` must outlive it.
  SchemaCompiler(const OrderedJson& root, JsonRules& rules);

  /// The rule of the whole document. Throws as Resolver does.
  uint32_t compile(const OrderedJson& root);

 private:
  uint32_t rule_of(const Terms& terms);
  void fill(uint32_t rule, const Terms& terms);

  void add(uint32_t from, const NullRule& rule, uint32_t to);
  void add(uint32_t from, const BooleanRule& rule, uint32_t to);
  void add(uint32_t from, const NumberRule& rule, uint32_t to);
  void add(uint32_t from, const StringRule& rule, uint32_t to);
  void add(uint32_t from, const ArrayRule& rule, uint32_t to);
  void add(uint32_t from, const ObjectRule& rule, uint32_t to);
  void add(uint32_t from, const ValuesRule& rule, uint32_t to);
  void add_items(uint32_t from, const ArrayRule& rule, uint32_t to);
  void add_value(uint32_t from, const OrderedJson& value, uint32_t to);
  void add_composite(uint32_t from, const OrderedJson& value, uint32_t to);

  JsonRules& rules_;
  ProgramBuilder& builder_;
  Texts texts_;
  Resolver resolver_;
  std::map<Terms, uint32_t> made_;
  std::deque<std::pair<uint32_t, Terms>> pending_;  // rules without edges yet
};

}  // namespace cleave::grammar
