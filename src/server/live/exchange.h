#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/choice.h"
#include "server/api/common_fields.h"
#include "server/http/reply.h"
#include "server/live/answer_reader.h"
#include "server/live/prepare.h"

namespace cleave::server {

/// What is told of an exchange when it is over: for logs and metrics. Holds no word of prompts or answers.
struct ExchangeRecord {
  std::string id = {}, method = {}, path = {}, model = {};
  int status = 0;  // 499: the client left
  bool stream = false;
  std::string finish = {};  // stop, length, tool_calls, abort or error; "" where nothing was generated
  int64_t prompt_tokens = 0, cached_tokens = 0, new_tokens = 0;
  double first_token_seconds = 0, seconds = 0;
  std::string problem = {};  // why it failed; ""
};

/// A request that asks the model for answers, from its arrival to the end of its reply. Belongs to the network's
/// thread.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;

  struct Answer {
    engine::SequenceId sequence = 0;
    AnswerReader reader;
    api::AnswerPart pending = {};  // not written yet
    api::AnswerPart whole = {};
    Clock::time_point first_token{}, last_token{}, end{};
  };

  /// `headers` go with the reply, whatever it is.
  Exchange(http::Reply reply, ExchangeRecord record, api::Dialect dialect, http::Headers headers = {})
      : reply_(std::move(reply)), record_(std::move(record)), dialect_(dialect), headers_(std::move(headers)) {}

  /// The request has been understood and its answers are under way. Begins the reply where it is a stream.
  void begin(api::Translation translation, std::vector<engine::SequenceId> sequences, std::vector<AnswerReader> readers,
             int64_t prompt_tokens);
  /// Takes a token of an answer. Gives whether the engine is to stop it, since a stop text has ended it.
  bool take(size_t answer, const engine::NewToken& token, Clock::time_point now);
  /// Writes what has come, unless the client is still busy with what was written before.
  void flush();
  /// Ends the reply with a document in JSON, in place of answers.
  void answer(std::string document, int64_t prompt_tokens);
  /// Ends the reply with a failure.
  void fail(const api::Failure& failure);
  /// The client has left.
  void leave();
  /// Keeps a stream alive that has been silent for `interval`.
  void ping(Clock::time_point now, std::chrono::milliseconds interval);

  const http::Reply& reply() const { return reply_; }
  std::vector<Answer>& answers() { return answers_; }
  const api::Generation& generation() const { return generation_; }
  bool begun() const { return writer_ != nullptr; }
  /// The reply is complete, or nobody waits for it.
  bool over() const { return over_; }
  Clock::time_point arrival() const { return arrival_; }
  const ExchangeRecord& record() const { return record_; }
  api::Dialect dialect() const { return dialect_; }

 private:
  void send(http::Response response) const;
  void end();
  std::vector<api::AnswerPart> whole_answers() const;
  void conclude(int status, std::string finish);

  const http::Reply reply_;
  ExchangeRecord record_;
  const api::Dialect dialect_;
  const http::Headers headers_;
  const Clock::time_point arrival_ = Clock::now();
  api::Generation generation_;
  std::unique_ptr<api::Writer> writer_;
  std::vector<Answer> answers_;
  size_t finished_ = 0;
  Clock::time_point last_write_{};
  bool over_ = false;
};

}  // namespace cleave::server
