#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "grammar/matching/matcher.h"
#include "response/response_format.h"
#include "server/api/generation.h"
#include "server/live/served_model.h"

namespace cleave::server {

/// What holds an answer to what its request asks for: a form, a call that must be, or the syntax of calls from where
/// one begins.
struct AnswerHold {
  std::shared_ptr<grammar::TokenGrammar> grammar = {};  // null: the model says what it likes
  const response::ResponseFormat* format = nullptr;     // how the answer is read: of the model; null: as a text
  bool is_held = false;                                 // the whole answer follows the grammar
  bool calls_are_certain = false;                       // what begins like a call can only become one
  // Of channels: the header of the message that must follow reasoning which is cut; "": that of content.
  std::string header = {};
};

/// Composes the grammar, and compiles it unless another request has asked for the same: up to seconds. `prompt`: the
/// text that the answer follows, which may open its reasoning. Throws api::Refusal that names the field: for what is
/// malformed, not supported or too large, and for what this model's answers cannot be held to. What a tool's parameters
/// say and grammars do not know is refused where a call is forced or the function is strict; otherwise it is left to
/// the model.
AnswerHold hold_answer(const api::Generation& generation, const ServedModel& model, std::string_view prompt);

/// The form of answers that must call a tool: the model's own, or a plain one, which the model must be told of.
const response::ResponseFormat& forced_format(const ServedModel& model);

}  // namespace cleave::server
