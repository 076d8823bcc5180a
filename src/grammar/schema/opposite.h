#pragma once

#include <functional>
#include <string>

#include "grammar/schema/alternatives.h"

namespace cleave::grammar {

/// What is known of the schema of a member or an item.
enum class MemberKind : uint8_t { Anything, Something, Nothing };

/// All values but those of an alternative. `kind_of` looks at schemas of members. Throws Error(Unsupported), naming
/// `where`, for a condition whose opposite is no alternative, such as that some item is not as the others.
Alternatives opposite_of(const Alternative& alternative, const std::string& where,
                         const std::function<MemberKind(const Terms&)>& kind_of);

}  // namespace cleave::grammar
