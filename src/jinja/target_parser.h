#pragma once

#include "jinja/ast.h"
#include "jinja/token_stream.h"

namespace cleave::jinja {

/// Parses what `{% for %}`, `{% set %}` or `{% with %}` assigns to: a name, or several with commas between. With
/// `attributes`, "name.attribute" of a namespace is one too. Fails for a name that is a constant, such as "true".
TargetPointer parse_target(TokenStream& stream, bool attributes);

}  // namespace cleave::jinja
