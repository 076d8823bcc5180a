#pragma once

#include <string_view>

#include "grammar/program/builder.h"

namespace cleave::grammar {

/// Adds the rules of a grammar in GBNF (grammars/README.md of llama.cpp) and returns that of `root`. Throws
/// Error(InvalidArgument) with the line for what is malformed, and Error(Unsupported) for single tokens (<think>,
/// <[1000]>).
uint32_t add_gbnf(ProgramBuilder& builder, std::string_view grammar);

}  // namespace cleave::grammar
