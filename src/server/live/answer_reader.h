#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/choice.h"
#include "response/response_parser.h"
#include "server/api/answer.h"
#include "server/api/generation.h"
#include "text/tokenizer/detokenizer.h"
#include "text/tokenizer/stop_matcher.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::server {

/// A prompt that precedes the text of its answer.
struct Echo {
  std::string text;
  std::vector<int32_t> tokens;
};

/// What is said of an answer in a conversation: reasoning and calls.
struct AnswerForm {
  const response::ResponseFormat* format = nullptr;  // must outlive the reader; null: the answer is text
  response::ParserSettings parser = {};
  bool several_calls = true;       // otherwise calls behind the first are left out
  bool tells_calls_as_end = true;  // the answer has ended with its calls, not just stopped
  bool streams_calls = false;      // what begins as a call is certain to be one, and told as it comes
};

/// One answer as its tokens come: from tokens to text, stop texts, and why it ended. Not thread-safe.
class AnswerReader {
 public:
  /// The tokenizer must outlive it.
  AnswerReader(const api::Generation& generation, const text::Tokenizer& tokenizer, std::optional<Echo> echo = {},
               AnswerForm form = {});

  /// What a token adds. Once a part has a finish, further tokens add nothing: the engine knows tokens alone and may
  /// have chosen some more before it learned of a stop text.
  api::AnswerPart push(const engine::NewToken& token);
  /// What was held back, where the answer ends without a token.
  api::AnswerPart cancel();
  bool finished() const { return finished_; }
  /// Whether a stop text has ended the answer, of which the engine does not know.
  bool stopped_by_text() const { return stopped_by_text_; }

 private:
  std::string text_of(int32_t token);
  void add_text(api::AnswerPart& part, std::string text, bool last);
  void add_event(api::AnswerPart& part, response::ResponseEvent event);
  void add_call_piece(api::AnswerPart& part, api::Piece piece);
  void tell_call(api::AnswerPart& part);
  api::TokenScore score_of(int32_t token, const engine::TokenLogprobs& logprobs) const;
  void add_echo(api::AnswerPart& part, const engine::NewToken& token);
  void hold_score(const engine::NewToken& token, bool is_text);
  void release_scores(api::AnswerPart& part, size_t text_bytes, bool all);
  void end(api::AnswerPart& part, engine::FinishReason reason, const engine::NewToken& token);

  /// A token's score until its text is given out; `begin` is where that starts, in bytes of the answer's text.
  struct HeldScore {
    api::TokenScore score;
    size_t begin;
  };

  const text::Tokenizer& tokenizer_;
  const bool skip_special_tokens_;
  const bool scores_prompt_;  // scores are those of all tokens, the one that ends the answer included
  std::optional<Echo> echo_;  // until it is given out
  std::deque<HeldScore> held_scores_;
  size_t token_bytes_ = 0, text_bytes_ = 0;  // of all tokens, and of the text that was given out
  text::Detokenizer detokenizer_;
  text::StopMatcher stops_;
  const std::vector<int32_t> stop_ids_;
  const bool include_stop_;
  std::optional<response::ResponseParser> parser_;
  const response::ResponseFormat* const format_;
  const bool several_calls_, tells_calls_as_end_, streams_calls_;
  std::vector<api::Piece> call_;  // of the call that is being read, what is not told yet
  bool has_calls_ = false;
  bool leaves_out_ = false;  // the call that is being read
  int64_t reasoning_tokens_ = 0;
  api::Usage usage_;
  bool finished_ = false, stopped_by_text_ = false;
};

}  // namespace cleave::server
