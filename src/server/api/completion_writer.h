#pragma once

#include <memory>

#include "server/api/common_fields.h"

namespace cleave::server::api {

struct CompletionWriterOptions {
  size_t answers_per_prompt = 1;
  StreamOptions stream = {};
  bool logprobs = false;   // the answers have scores
  bool token_ids = false;  // tell the ids of tokens, too
};

/// Replies of the completions API.
std::unique_ptr<Writer> make_completion_writer(ReplyHead head, const CompletionWriterOptions& options);

}  // namespace cleave::server::api
