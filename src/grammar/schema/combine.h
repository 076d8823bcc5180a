#pragma once

#include "grammar/schema/alternatives.h"
#include "grammar/schema/texts.h"

namespace cleave::grammar {

class Resolver;

/// What two schemas allow together, and what one does not, as alternatives again. Borrows all it is given.
class Combine {
 public:
  Combine(Resolver& resolver, Texts& texts) : resolver_(resolver), texts_(texts) {}

  /// Values that both allow.
  Alternatives both(const Alternatives& a, const Alternatives& b) const;
  /// All other values. Throws Error(Unsupported), naming `where`, for conditions whose opposite is no alternative.
  Alternatives opposite(const Alternatives& alternatives, const std::string& where) const;
  /// Whether it is plain that no value satisfies both.
  bool disjoint(const Alternatives& a, const Alternatives& b) const;

 private:
  bool disjoint(const Alternative& a, const Alternative& b, int depth) const;
  bool disjoint_objects(const ObjectRule& a, const ObjectRule& b, int depth) const;
  bool impossible(const Terms& terms, int depth) const;

  Resolver& resolver_;
  Texts& texts_;
};

}  // namespace cleave::grammar
