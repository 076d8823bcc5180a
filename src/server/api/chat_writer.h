#pragma once

#include <memory>

#include "server/api/common_fields.h"

namespace cleave::server::api {

struct ChatWriterOptions {
  size_t num_answers = 1;
  StreamOptions stream = {};
  bool logprobs = false;   // the answers have scores
  bool token_ids = false;  // tell the ids of tokens, too
};

/// Replies of the chat completions API.
std::unique_ptr<Writer> make_chat_writer(ReplyHead head, const ChatWriterOptions& options);

/// OpenAI's `usage`, with cached_tokens and reasoning_tokens.
OrderedJson openai_usage(const Usage& usage);
/// stop, length or tool_calls; null where the answer has not ended.
OrderedJson finish_reason(const std::optional<Finish>& finish);
/// The text or the id that stopped an answer, as vLLM tells it; null otherwise.
OrderedJson stop_reason(const AnswerPart& part);

/// The `content` of a chat's logprobs. Of a token that is a part of a character, `bytes` is that part.
OrderedJson chat_logprobs(std::span<const TokenScore> scores);

}  // namespace cleave::server::api
