#include "server/live/answer_reader.h"

#include <algorithm>
#include <utility>

namespace cleave::server {

AnswerReader::AnswerReader(const api::Generation& generation, const text::Tokenizer& tokenizer,
                           std::optional<Echo> echo, AnswerForm form)
    : tokenizer_(tokenizer),
      skip_special_tokens_(generation.skip_special_tokens),
      scores_prompt_(echo.has_value()),
      echo_(std::move(echo)),
      detokenizer_(tokenizer, form.format == nullptr && generation.skip_special_tokens),
      stops_(generation.stop),
      stop_ids_(generation.stop_token_ids),
      include_stop_(generation.include_stop),
      format_(form.format),
      several_calls_(form.several_calls),
      tells_calls_as_end_(form.tells_calls_as_end),
      streams_calls_(form.streams_calls) {
  if (format_ != nullptr) parser_.emplace(*format_, std::move(form.parser));
}

api::AnswerPart AnswerReader::push(const engine::NewToken& token) {
  api::AnswerPart part;
  if (finished_) return part;
  add_echo(part, token);
  std::string text;
  if (token.token) part.tokens.push_back(*token.token);
  if (token.logprobs != nullptr) part.logprob += token.logprobs->logprob;
  if (token.token && token.finish != engine::FinishReason::EndToken) {
    if (parser_ && parser_->in_reasoning()) ++reasoning_tokens_;
    hold_score(token, true);
    text = stops_.push(text_of(*token.token));
  } else if (token.token && scores_prompt_) {
    hold_score(token, false);  // who scores a text counts on a score for each token
  }
  if (token.finish && !stops_.stopped()) text += stops_.push(detokenizer_.flush());
  stopped_by_text_ = stops_.stopped();
  if (token.finish && !stopped_by_text_) text += stops_.flush();
  if (stopped_by_text_ && include_stop_) text += stops_.found();
  release_scores(part, text.size(), token.finish && !stopped_by_text_);
  add_text(part, std::move(text), token.finish || stopped_by_text_);
  usage_ = {token.usage.prompt_tokens, token.usage.cached_tokens, token.usage.generated_tokens, reasoning_tokens_};
  part.usage = usage_;
  if (stopped_by_text_)
    end(part, engine::FinishReason::StopText, token);
  else if (token.finish)
    end(part, *token.finish, token);
  return part;
}

// Where an answer is parsed, special tokens are text as far as they mean something there.
std::string AnswerReader::text_of(int32_t token) {
  const bool hidden = format_ != nullptr && tokenizer_.is_special(token) &&
                      !format_->is_mark(tokenizer_.token_bytes(token)) && skip_special_tokens_;
  return hidden ? "" : detokenizer_.push(token);
}

void AnswerReader::add_text(api::AnswerPart& part, std::string text, bool last) {
  if (!parser_) {
    if (!text.empty()) part.append({.kind = api::Piece::Kind::Text, .text = std::move(text)});
    return;
  }
  for (response::ResponseEvent& event : parser_->feed(text)) add_event(part, std::move(event));
  if (!last) return;
  for (response::ResponseEvent& event : parser_->finish()) add_event(part, std::move(event));
}

void AnswerReader::add_event(api::AnswerPart& part, response::ResponseEvent event) {
  using Type = response::ResponseEvent::Type;
  using Kind = api::Piece::Kind;
  const auto call = static_cast<int>(event.call);
  switch (event.type) {
    case Type::Reasoning:
      return part.append({.kind = Kind::Reasoning, .text = std::move(event.text)});
    case Type::Content:
      return part.append({.kind = Kind::Text, .text = std::move(event.text)});
    case Type::CallBegin:
      leaves_out_ = has_calls_ && !several_calls_;
      return add_call_piece(part, {.kind = Kind::Call, .call = call, .id = event.id, .name = event.name});
    case Type::CallArguments:
      return add_call_piece(part, {.kind = Kind::Call, .text = std::move(event.text), .call = call});
    case Type::CallDropped:
      return call_.clear();
    case Type::CallEnd:
      has_calls_ = true;
      return tell_call(part);
  }
}

// A call is told once it is certain to be one: from its first piece on, or at its end.
void AnswerReader::add_call_piece(api::AnswerPart& part, api::Piece piece) {
  call_.push_back(std::move(piece));
  if (streams_calls_) tell_call(part);
}

void AnswerReader::tell_call(api::AnswerPart& part) {
  for (api::Piece& piece : std::exchange(call_, {}))
    if (!leaves_out_) part.append(std::move(piece));
}

void AnswerReader::add_echo(api::AnswerPart& part, const engine::NewToken& token) {
  if (!echo_) return;
  const Echo echo = std::move(*echo_);
  echo_.reset();
  part.append({.kind = api::Piece::Kind::Text, .text = echo.text});
  if (token.prompt_logprobs == nullptr) return;
  for (size_t i = 0; i < echo.tokens.size(); ++i) {
    if (i == 0)  // nothing precedes it
      part.scores.push_back({.token = echo.tokens[i], .bytes = tokenizer_.token_bytes(echo.tokens[i])});
    else if (i <= token.prompt_logprobs->size())
      part.scores.push_back(score_of(echo.tokens[i], (*token.prompt_logprobs)[i - 1]));
  }
}

api::TokenScore AnswerReader::score_of(int32_t token, const engine::TokenLogprobs& logprobs) const {
  api::TokenScore score{.token = token, .bytes = tokenizer_.token_bytes(token), .logprob = logprobs.logprob};
  for (const engine::TokenLogprob& other : logprobs.top)
    score.top.push_back({other.token, tokenizer_.token_bytes(other.token), other.logprob});
  return score;
}

void AnswerReader::hold_score(const engine::NewToken& token, bool is_text) {
  if (token.logprobs == nullptr) return;
  held_scores_.push_back({score_of(*token.token, *token.logprobs), token_bytes_});
  if (!is_text) return held_scores_.back().score.bytes.clear();
  const bool hidden = skip_special_tokens_ && tokenizer_.is_special(*token.token);
  if (!hidden) token_bytes_ += held_scores_.back().score.bytes.size();
}

// Scores go with the text that their tokens are a part of; those of a stop text go nowhere.
void AnswerReader::release_scores(api::AnswerPart& part, size_t text_bytes, bool all) {
  text_bytes_ += text_bytes;
  while (!held_scores_.empty() && (all || held_scores_.front().begin < text_bytes_)) {
    part.scores.push_back(std::move(held_scores_.front().score));
    held_scores_.pop_front();
  }
}

api::AnswerPart AnswerReader::cancel() {
  return push({.finish = engine::FinishReason::Cancelled, .usage = {usage_.prompt, usage_.cached, usage_.generated}});
}

void AnswerReader::end(api::AnswerPart& part, engine::FinishReason reason, const engine::NewToken& token) {
  finished_ = true;
  const bool model_ended = reason == engine::FinishReason::EndToken || reason == engine::FinishReason::StopText;
  part.finish = !model_ended                        ? api::Finish::Length
                : has_calls_ && tells_calls_as_end_ ? api::Finish::ToolCalls
                                                    : api::Finish::Stop;
  if (reason == engine::FinishReason::StopText) part.stopped_by = stops_.found();
  if (reason == engine::FinishReason::EndToken && std::ranges::find(stop_ids_, *token.token) != stop_ids_.end())
    part.stopped_by = *token.token;
}

}  // namespace cleave::server
