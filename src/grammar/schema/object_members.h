#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "grammar/schema/json_rules.h"
#include "grammar/schema/resolver.h"

namespace cleave::grammar {

/// The members of an object as edges: those that the schema names, in its order, then any others. Borrows all it is
/// given.
class ObjectMembers {
 public:
  /// `rule_of` makes the rule of a value.
  ObjectMembers(const ObjectRule& rule, JsonRules& rules, Texts& texts, Resolver& resolver,
                std::function<uint32_t(const Terms&)> rule_of);

  /// Whether the object may have no members.
  bool may_be_empty() const { return rule_.min == 0 && num_required_ == 0; }
  /// One member at least, between two nodes.
  void add(uint32_t from, uint32_t to);

 private:
  struct Named {
    std::string name;
    Terms terms;
    bool required;
  };
  // Keys that no schema names and to which the same patterns apply.
  struct Region {
    Dfa keys;
    Terms terms;
  };

  void add_name(const std::string& name);
  void find_names();
  std::vector<std::string> patterns() const;
  void find_regions();
  Terms region_terms(const std::vector<std::string>& patterns, const std::vector<bool>& applies) const;
  Dfa key_strings();
  void take_few_keys();
  uint32_t free_member();
  void add_named(const Named& named, bool comma, uint32_t from, uint32_t to);

  const ObjectRule& rule_;
  JsonRules& rules_;
  ProgramBuilder& builder_;
  Texts& texts_;
  Resolver& resolver_;
  std::function<uint32_t(const Terms&)> rule_of_;
  std::vector<Named> named_;
  std::vector<Region> regions_;
  bool any_key_ = false;  // keys of the only region are all strings
  uint32_t num_required_ = 0;
};

}  // namespace cleave::grammar
