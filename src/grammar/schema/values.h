#pragma once

#include "grammar/schema/alternatives.h"
#include "grammar/schema/texts.h"

namespace cleave::grammar {

class Resolver;

/// Whether values of the document itself, those of enum and const, satisfy a schema. Borrows all it is given.
class Values {
 public:
  Values(Resolver& resolver, Texts& texts) : resolver_(resolver), texts_(texts) {}

  bool allows(const Alternative& alternative, const OrderedJson& value) const;

 private:
  bool allowed(const NullRule&, const OrderedJson& value) const { return value.is_null(); }
  bool allowed(const BooleanRule&, const OrderedJson& value) const { return value.is_boolean(); }
  bool allowed(const NumberRule& rule, const OrderedJson& value) const;
  bool allowed(const StringRule& rule, const OrderedJson& value) const;
  bool allowed(const ArrayRule& rule, const OrderedJson& value) const;
  bool allowed(const ObjectRule& rule, const OrderedJson& value) const;
  bool allowed(const ValuesRule& rule, const OrderedJson& value) const;

  Resolver& resolver_;
  Texts& texts_;
};

}  // namespace cleave::grammar
