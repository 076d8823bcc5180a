#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ordered_json.h"
#include "grammar/schema/alternatives.h"

namespace cleave::grammar {

/// What the keywords of one schema object, those that stand for themselves, say of each type: type, limits, pattern,
/// properties, items. Keywords with schemas in place of the value itself (allOf and the like) are left out. `where` is
/// the schema's place in the document. Throws Error(InvalidArgument) for a malformed one and Error(Unsupported) for one
/// that is not done.
Alternatives read_typed(const OrderedJson& schema, const std::string& where);

/// Whether read_typed() reads the keyword.
bool is_typed_keyword(std::string_view keyword);

/// Throws Error(Unsupported) for a schema with a keyword that is known and not done. Unknown keywords say nothing, as
/// the specification has it.
void refuse_unsupported(const OrderedJson& schema, const std::string& where);

/// A keyword that must be of a type. Throws Error(InvalidArgument) with the place and what was wanted.
[[noreturn]] void wrong_keyword(const std::string& where, std::string_view keyword, std::string_view wanted);

/// Members of an array of strings.
std::vector<std::string> strings_of(const OrderedJson& value, const std::string& where, std::string_view keyword);

/// Schemas that hold for every value and for none, for places where the document has none.
const OrderedJson& always();
const OrderedJson& never();

}  // namespace cleave::grammar
