#include "inference/answer_stream.h"

#include <utility>

#include "base/check.h"

namespace cleave::inference {

AnswerPart AnswerStream::push(const engine::NewToken& token) {
  using engine::FinishReason;
  usage_ = token.usage;
  AnswerPart part{.text = {}, .finish = token.finish, .usage = usage_};
  if (token.token && token.finish != FinishReason::EndToken) part.text = matcher_.push(detokenizer_.push(*token.token));
  if (matcher_.stopped()) part.finish = FinishReason::StopText;
  if (!part.finish) return part;
  part.text += matcher_.push(detokenizer_.flush());
  part.text += matcher_.flush();
  return part;
}

AnswerPart AnswerStream::cancel() {
  return push({.finish = engine::FinishReason::Cancelled, .usage = usage_});
}

void AnswerStreams::begin(engine::SequenceId sequence, std::vector<std::string> stops) {
  CHECK(streams_.try_emplace(sequence, tokenizer_, std::move(stops)).second);
}

std::optional<AnswerPart> AnswerStreams::push(const engine::NewToken& token) {
  const auto stream = streams_.find(token.sequence);
  if (stream == streams_.end()) return std::nullopt;
  AnswerPart part = stream->second.push(token);
  if (part.finish) streams_.erase(stream);
  return part;
}

}  // namespace cleave::inference
