#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/request.h"
#include "response/response_parser.h"
#include "server/api/generation.h"
#include "server/live/answer_hold.h"
#include "server/live/served_model.h"

namespace cleave::server {

/// A prompt as the model gets it.
struct PreparedPrompt {
  std::vector<int32_t> tokens;
  std::string text;                      // "" where a request gave ids
  AnswerHold hold = {};                  // of its answers
  response::ParserSettings parser = {};  // of its answers, where it is a conversation; each needs its own id_seed
};

/// A request that has passed all checks and is ready for the engine.
struct Prepared {
  std::vector<PreparedPrompt> prompts;
  std::vector<engine::Request> requests;  // Generation::best_of for each prompt, in their order
};

/// The text that the chat template makes of a conversation. Throws api::Refusal with the template's own message where
/// it refuses, and where the model has no chat template.
std::string render(const api::Conversation& conversation, const ServedModel& model, int64_t now);

/// Renders and tokenises the prompts, compares everything with the model, and makes the engine's requests. Takes time
/// in proportion to the prompts; runs on any thread. Throws api::Refusal: for a prompt that the context has no room
/// for, a parameter out of range, a token outside the vocabulary, and what this server cannot do.
Prepared prepare(const api::Generation& generation, const ServedModel& model, int64_t now);

/// Throws api::Refusal with status 404 unless the model is called so.
void require_model(const std::string& name, const ServedModel& model);

}  // namespace cleave::server
