#pragma once

#include "response/call_grammar.h"

namespace cleave::response {

/// The arguments of a tagged call, from behind its head to their end, with that. Required ones come first where there
/// is something between arguments; otherwise all in the schema's order.
SyntaxPiece argument_grammar(const CallSyntax& syntax, const OrderedJson& parameters);

/// unheld_keyword() of a tagged call.
std::string unheld_argument_keyword(const CallSyntax& syntax, const OrderedJson& parameters);

// Pieces by their kinds.
SyntaxPiece literal_piece(std::string text);
SyntaxPiece sequence_piece(std::vector<SyntaxPiece> parts);
SyntaxPiece choice_piece(std::vector<SyntaxPiece> parts);
SyntaxPiece schema_piece(OrderedJson schema);
SyntaxPiece optional_piece(SyntaxPiece part);
SyntaxPiece any_number_piece(SyntaxPiece part);

}  // namespace cleave::response
