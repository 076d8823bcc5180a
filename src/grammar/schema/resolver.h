#pragma once

#include <map>
#include <set>
#include <string>

#include "grammar/schema/alternatives.h"
#include "grammar/schema/combine.h"
#include "grammar/schema/references.h"
#include "grammar/schema/texts.h"

namespace cleave::grammar {

/// Looks schemas of a document up and multiplies out what they say of one value; schemas of members and items stay
/// references. Functions throw Error(InvalidArgument) for a malformed schema, Error(Unsupported) for what is not done,
/// and what the budget throws. Borrows all it is given. Not thread-safe.
class Resolver {
 public:
  Resolver(const OrderedJson& root, Texts& texts);

  /// Values that satisfy all terms.
  const Alternatives& resolve(const Terms& terms);
  bool allows(const Terms& terms, const OrderedJson& value);
  bool allows(const Alternative& alternative, const OrderedJson& value);
  /// The schemas of a member of an object.
  Terms member(const ObjectRule& rule, const std::string& name);

 private:
  const Alternatives& read(const OrderedJson* node);
  Alternatives read_schema(const OrderedJson& schema, const std::string& where);
  Alternatives read_keyword(const std::string& keyword, const OrderedJson& schema, const std::string& where);
  Alternatives any_of(const OrderedJson& list, const std::string& where);
  Alternatives one_of(const OrderedJson& list, const std::string& where);
  Alternatives if_then_else(const OrderedJson& schema, const std::string& where);
  Alternatives dependent(const std::string& keyword, const OrderedJson& members, const std::string& where);
  void add_unevaluated(const OrderedJson& schema, Alternatives& alternatives);
  const OrderedJson& list_of(const std::string& keyword, const OrderedJson& value, const std::string& where);

  Texts& texts_;
  References references_;
  Combine combine_;
  std::map<const OrderedJson*, Alternatives> read_;
  std::map<Terms, Alternatives> resolved_;
  std::set<const OrderedJson*> reading_;
};

}  // namespace cleave::grammar
