#include "server/live/desk.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.h"
#include "server/api/chat_writer.h"

namespace cleave::server {
namespace {

constexpr double kNewShare = 0.25;  // of the latest prompt in the rate of prompts
constexpr int kMostRetrySeconds = 60;
constexpr int kLoadingRetrySeconds = 5;

double seconds(Exchange::Clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

// The failure that has ended an answer, where one has.
std::optional<api::Failure> failure_in(const engine::NewToken& token) {
  if (token.finish == engine::FinishReason::Deadline)
    return api::Failure{.status = 408, .message = "the answer was not complete in the time that the request allows"};
  if (token.finish != engine::FinishReason::Failed) return std::nullopt;
  const bool by_request = token.error != nullptr && (token.error->kind() == ErrorKind::InvalidArgument ||
                                                     token.error->kind() == ErrorKind::Unsupported);
  return api::Failure{.status = by_request ? 400 : 500,
                      .message = token.error != nullptr ? token.error->what() : "no token could be chosen"};
}

}  // namespace

void Desk::open(std::shared_ptr<const ServedModel> model, engine::Inbox& inbox) {
  model_ = std::move(model);
  inbox_ = &inbox;
}

std::optional<api::Failure> Desk::closed() const {
  if (draining_) return api::Failure{.status = 503, .message = "the server is shutting down", .code = "shutting_down"};
  if (inbox_ != nullptr) return std::nullopt;
  return api::Failure{
      .status = 503, .message = "the model is being loaded", .code = "loading", .retry_after = kLoadingRetrySeconds};
}

api::Failure Desk::overload() const {
  return {.status = 503,
          .message = "the server has more requests than it can answer soon; try again later",
          .code = "overloaded",
          .retry_after = seconds_until(waiting_tokens_)};
}

std::optional<api::Failure> Desk::refusal() const {
  if (auto failure = closed()) return failure;
  if (std::max(live_.size(), exchanges_.size()) < static_cast<size_t>(options_.max_queue)) return std::nullopt;
  return overload();
}

std::shared_ptr<Exchange> Desk::receive(http::Reply reply, ExchangeRecord record, api::Dialect dialect) {
  auto exchange = std::make_shared<Exchange>(std::move(reply), std::move(record), dialect);
  exchanges_.insert(exchange);
  exchange->reply().on_gone([this, weak = std::weak_ptr(exchange)] {
    if (const auto gone = weak.lock()) leave(gone);
  });
  return exchange;
}

// All answers of a request are taken, or none.
std::optional<api::Failure> Desk::no_room(const Prepared& prepared) const {
  if (auto failure = closed()) return failure;
  const auto count = static_cast<int64_t>(prepared.requests.size());
  if (count > options_.max_queue)
    return api::Failure{
        .message = fmt::format("{} answers are asked for at once, wanted at most {}", count, options_.max_queue)};
  const bool waits_long = prompt_rate_ > 0 && static_cast<double>(waiting_tokens_) / prompt_rate_ >
                                                  static_cast<double>(options_.max_wait.count());
  if (!waits_long && static_cast<int64_t>(live_.size()) + count <= options_.max_queue) return std::nullopt;
  return overload();
}

// How long prompts of as many tokens will take, as far as one can tell.
int Desk::seconds_until(int64_t tokens) const {
  if (prompt_rate_ <= 0) return 1;
  return static_cast<int>(
      std::clamp(std::ceil(static_cast<double>(tokens) / prompt_rate_), 1.0, static_cast<double>(kMostRetrySeconds)));
}

void Desk::admit(const std::shared_ptr<Exchange>& exchange, api::Translation translation, Prepared prepared) {
  if (exchange->over()) return;
  if (auto failure = no_room(prepared)) return fail(exchange, *failure);
  std::vector<engine::SequenceId> sequences;
  std::vector<AnswerReader> readers;
  const auto answers_per_prompt = static_cast<size_t>(translation.generation.best_of);
  try {
    for (engine::Request& request : prepared.requests) {
      const auto length = static_cast<int64_t>(request.prompt.size());
      const engine::SequenceId id = inbox_->add(std::move(request));
      live_[id] = {exchange, sequences.size()};
      waiting_[id] = length;
      waiting_tokens_ += length;
      readers.push_back(reader_of(translation.generation, prepared.prompts[sequences.size() / answers_per_prompt]));
      sequences.push_back(id);
    }
  } catch (const Error& error) {
    for (const engine::SequenceId id : sequences) inbox_->stop(id);
    return fail(exchange, {.message = error.what()});
  }
  exchange->begin(std::move(translation), std::move(sequences), std::move(readers),
                  static_cast<int64_t>(prepared.prompts.front().tokens.size()));
  exchange->reply().on_drained([this, weak = std::weak_ptr(exchange)] {
    if (const auto open = weak.lock()) flush(open);
  });
}

// Writes what there is; behind the last of it, the exchange is over.
void Desk::flush(const std::shared_ptr<Exchange>& exchange) {
  exchange->flush();
  settle(exchange);
}

AnswerReader Desk::reader_of(const api::Generation& generation, const PreparedPrompt& prompt) const {
  const text::Tokenizer& tokenizer = *model_->text.tokenizer;
  std::optional<Echo> echo;
  if (generation.echo)
    echo = Echo{prompt.text.empty() ? tokenizer.decode(prompt.tokens, false) : prompt.text, prompt.tokens};
  if (!generation.conversation) return {generation, tokenizer, std::move(echo)};
  const api::Conversation& conversation = *generation.conversation;
  AnswerForm form{.format = prompt.hold.format,
                  .parser = parser_settings(conversation, prompt),
                  .several_calls = conversation.tool_choice.parallel,
                  .tells_calls_as_end = conversation.tool_choice.mode != api::ToolChoice::Mode::Named,
                  .streams_calls = prompt.hold.calls_are_certain};
  form.parser.id_seed = std::random_device()();
  return {generation, tokenizer, std::move(echo), std::move(form)};
}

void Desk::fail(const std::shared_ptr<Exchange>& exchange, const api::Failure& failure) {
  if (exchange->over()) return;
  if (failure.status >= 500) metrics_.add_rejection(failure.code.empty() ? "error" : failure.code);
  stop_answers(exchange);
  exchange->fail(failure);
  settle(exchange);
}

void Desk::note_refusal(const api::Failure& failure) {
  metrics_.add_rejection(failure.code.empty() ? "invalid" : failure.code);
  metrics_.add_response(failure.status);
}

void Desk::deliver(const EngineLoop::Batch& batch) {
  const Clock::time_point now = Clock::now();
  std::vector<std::shared_ptr<Exchange>> touched;
  for (const engine::NewToken& token : batch) {
    const auto found = live_.find(token.sequence);
    if (found == live_.end()) continue;
    const Live live = found->second;
    note_token(live, token, now);
    if (const auto failure = failure_in(token)) fail(live.exchange, *failure);
    if (live.exchange->take(live.answer, token, now) && inbox_ != nullptr) inbox_->stop(token.sequence);
    if (touched.empty() || touched.back() != live.exchange) touched.push_back(live.exchange);
    if (token.finish) live_.erase(token.sequence);
  }
  for (const auto& exchange : touched) flush(exchange);
}

void Desk::note_token(const Live& live, const engine::NewToken& token, Clock::time_point now) {
  if (const auto waited = waiting_.find(token.sequence); waited != waiting_.end()) {
    const Clock::time_point begin = std::max(live.exchange->arrival(), last_first_token_);
    const auto computed = static_cast<double>(token.usage.prompt_tokens - token.usage.cached_tokens);
    const double rate = computed / std::max(seconds(now - begin), 1e-6);
    if (token.token && now > begin) prompt_rate_ += (prompt_rate_ == 0 ? 1 : kNewShare) * (rate - prompt_rate_);
    if (token.token) last_first_token_ = now;
    waiting_tokens_ -= waited->second;
    waiting_.erase(waited);
    return;
  }
  if (live.exchange->over() || !token.token) return;
  const Clock::time_point last = live.exchange->answers()[live.answer].last_token;
  if (last != Clock::time_point{}) metrics_.add_gap(seconds(now - last));
}

// Of answers that have not ended, the engine is told; it says so when it has stopped them.
void Desk::stop_answers(const std::shared_ptr<Exchange>& exchange) {
  for (const auto& answer : exchange->answers())
    if (inbox_ != nullptr && live_.contains(answer.sequence)) inbox_->stop(answer.sequence);
}

void Desk::settle(const std::shared_ptr<Exchange>& exchange) {
  if (!exchange->over() || exchanges_.erase(exchange) == 0) return;
  const ExchangeRecord& record = exchange->record();
  metrics_.add_response(record.status);
  for (const auto& answer : exchange->answers()) {
    const api::Usage& usage = answer.whole.usage;
    const bool has_token = answer.first_token != Clock::time_point{};
    const OrderedJson reason = api::finish_reason(answer.whole.finish);
    const std::string ended = reason.is_string() ? reason.get<std::string>() : record.finish;
    const Clock::time_point end = answer.end == Clock::time_point{} ? Clock::now() : answer.end;
    metrics_.add({.reason = ended,
                  .prompt_tokens = usage.prompt,
                  .cached_tokens = usage.cached,
                  .new_tokens = usage.generated,
                  .first_token_seconds = has_token ? seconds(answer.first_token - exchange->arrival()) : 0,
                  .seconds = seconds(end - exchange->arrival())});
  }
  if (done_) done_(record);
}

void Desk::leave(const std::shared_ptr<Exchange>& exchange) {
  if (exchange->over()) return;
  stop_answers(exchange);
  exchange->leave();
  settle(exchange);
}

void Desk::tick(Clock::time_point now) {
  for (const auto& exchange : exchanges_) exchange->ping(now, options_.ping);
}

void Desk::fail_all(const api::Failure& failure) {
  const auto exchanges = exchanges_;
  for (const auto& exchange : exchanges) fail(exchange, failure);
}

}  // namespace cleave::server
