#include "server/live/exchange.h"

#include <algorithm>
#include <utility>

#include "server/api/chat_writer.h"
#include "server/live/responses.h"

namespace cleave::server {
namespace {

constexpr int kClientLeft = 499;  // nginx's number

http::Headers stream_headers(const std::string& id, const http::Headers& more) {
  http::Headers headers = {{"Content-Type", "text/event-stream; charset=utf-8"},
                           {"Cache-Control", "no-cache"},
                           {"X-Accel-Buffering", "no"},  // nginx would hold a stream back
                           {"x-request-id", id}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

std::string finish_of(const api::AnswerPart& answer) {
  const OrderedJson reason = api::finish_reason(answer.finish);
  return reason.is_string() ? reason.get<std::string>() : "abort";
}

double seconds_between(Exchange::Clock::time_point begin, Exchange::Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

void Exchange::begin(api::Translation translation, std::vector<engine::SequenceId> sequences,
                     std::vector<AnswerReader> readers, int64_t prompt_tokens) {
  generation_ = std::move(translation.generation);
  writer_ = std::move(translation.writer);
  record_.stream = generation_.stream;
  for (size_t i = 0; i < sequences.size(); ++i)
    answers_.push_back({.sequence = sequences[i], .reader = std::move(readers[i])});
  last_write_ = Clock::now();
  if (!generation_.stream) return;
  reply_.start(200, stream_headers(record_.id, headers_));
  reply_.write(writer_->begin({.prompt = prompt_tokens}));
}

bool Exchange::take(size_t index, const engine::NewToken& token, Clock::time_point now) {
  if (over_) return false;
  Answer& answer = answers_[index];
  if (answer.reader.finished()) return false;
  if (token.token) {
    if (answer.first_token == Clock::time_point{}) answer.first_token = now;
    answer.last_token = now;
  }
  api::AnswerPart part = answer.reader.push(token);
  answer.whole.append(part);
  answer.pending.append(std::move(part));
  if (!answer.reader.finished()) return false;
  answer.end = now;
  ++finished_;
  return answer.reader.stopped_by_text() && !token.finish;
}

void Exchange::flush() {
  if (over_ || !begun()) return;
  const bool complete = finished_ == answers_.size();
  if (!generation_.stream) {
    if (complete) end();
    return;
  }
  if (reply_.backlog() > 0) return;
  std::string bytes;
  for (size_t i = 0; i < answers_.size(); ++i) {
    api::AnswerPart& pending = answers_[i].pending;
    if (!pending.empty()) bytes += writer_->part(i, std::exchange(pending, {}));
  }
  if (!bytes.empty()) last_write_ = Clock::now();
  reply_.write(bytes);
  if (complete) end();
}

void Exchange::send(http::Response response) const {
  response.headers.insert(response.headers.end(), headers_.begin(), headers_.end());
  reply_.send(std::move(response));
}

void Exchange::answer(std::string document, int64_t prompt_tokens) {
  if (over_) return;
  send({.body = std::move(document), .headers = {{"x-request-id", record_.id}}});
  conclude(200, "");
  record_.prompt_tokens = prompt_tokens;
}

void Exchange::end() {
  const std::vector<api::AnswerPart> answers = whole_answers();
  if (generation_.stream) {
    reply_.write(writer_->end(answers));
    reply_.finish();
  } else {
    send({.body = api::dump(writer_->whole(answers)), .headers = {{"x-request-id", record_.id}}});
  }
  conclude(200, finish_of(answers.front()));
}

void Exchange::fail(const api::Failure& failure) {
  if (over_) return;
  if (begun() && generation_.stream) {
    reply_.write(writer_->failure(failure));
    reply_.finish();
  } else {
    send(response_of(failure, dialect_, record_.id));
  }
  record_.problem = failure.message;
  conclude(failure.status, begun() ? "error" : "");
}

void Exchange::leave() {
  if (!over_) conclude(kClientLeft, begun() ? "abort" : "");
}

void Exchange::ping(Clock::time_point now, std::chrono::milliseconds interval) {
  if (over_ || !begun() || !generation_.stream || now - last_write_ < interval || reply_.backlog() > 0) return;
  reply_.write(writer_->ping());
  last_write_ = now;
}

std::vector<api::AnswerPart> Exchange::whole_answers() const {
  std::vector<api::AnswerPart> answers;
  for (const Answer& answer : answers_) answers.push_back(answer.whole);
  return api::best_answers(std::move(answers), static_cast<size_t>(generation_.n),
                           static_cast<size_t>(generation_.best_of));
}

void Exchange::conclude(int status, std::string finish) {
  over_ = true;
  const Clock::time_point now = Clock::now();
  record_.status = status;
  record_.finish = std::move(finish);
  record_.seconds = seconds_between(arrival_, now);
  const api::Usage usage = api::total(whole_answers(), static_cast<size_t>(std::max(1, generation_.n)));
  record_.prompt_tokens = usage.prompt;
  record_.cached_tokens = usage.cached;
  record_.new_tokens = usage.generated;
  for (const Answer& answer : answers_)
    if (answer.first_token != Clock::time_point{})
      record_.first_token_seconds = seconds_between(arrival_, answer.first_token);
}

}  // namespace cleave::server
