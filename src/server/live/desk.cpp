#include "server/live/desk.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.h"
#include "server/api/chat_writer.h"

namespace cleave::server {
namespace {

constexpr double kMostRetrySeconds = 60;
constexpr int kLoadingRetrySeconds = 5;

double seconds(Exchange::Clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

// The failure that has ended an answer, where one has.
std::optional<api::Failure> failure_in(const engine::NewToken& token) {
  if (token.finish == engine::FinishReason::Deadline)
    return api::Failure{.status = 408, .message = "the answer was not complete in the time that the request allows"};
  if (token.finish != engine::FinishReason::Failed) return std::nullopt;
  const bool by_request = token.error != nullptr && api::is_client_mistake(*token.error);
  return api::Failure{.status = by_request ? 400 : 500,
                      .message = token.error != nullptr ? token.error->what() : "no token could be chosen"};
}

}  // namespace

void Desk::open(std::shared_ptr<const ServedModel> model, engine::Engine& engine) {
  model_ = std::move(model);
  engine_ = &engine;
}

void Desk::open(std::shared_ptr<const ServedModel> model, EmbeddingLoop& loop) {
  model_ = std::move(model);
  embeddings_ = &loop;
}

void Desk::close() {
  engine_ = nullptr;
  embeddings_ = nullptr;
}

std::optional<api::Failure> Desk::closed() const {
  if (draining_) return api::Failure{.status = 503, .message = "the server is shutting down", .code = "shutting_down"};
  if (engine_ != nullptr || embeddings_ != nullptr) return std::nullopt;
  return api::Failure{
      .status = 503, .message = "the model is being loaded", .code = "loading", .retry_after = kLoadingRetrySeconds};
}

api::Failure Desk::overload() const {
  return {.status = 503,
          .message = "the server has more requests than it can answer soon; try again later",
          .code = "overloaded",
          .retry_after = static_cast<int>(std::ceil(std::clamp(seconds_of_backlog(), 1.0, kMostRetrySeconds)))};
}

std::optional<api::Failure> Desk::refusal() const {
  if (auto failure = closed()) return failure;
  if (std::max(live_.size(), exchanges_.size()) < static_cast<size_t>(options_.max_queue)) return std::nullopt;
  return overload();
}

std::shared_ptr<Exchange> Desk::receive(http::Reply reply, ExchangeRecord record, api::Dialect dialect,
                                        http::Headers headers) {
  auto exchange = std::make_shared<Exchange>(std::move(reply), std::move(record), dialect, std::move(headers));
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
  const bool waits_long = seconds_of_backlog() > static_cast<double>(options_.max_wait.count());
  if (!waits_long && static_cast<int64_t>(live_.size()) + count <= options_.max_queue) return std::nullopt;
  return overload();
}

// How long the prompts will take that are not computed, as the engine has learned: those that it knows, less what it
// has of them in its cache, and those that it has not seen yet.
double Desk::seconds_of_backlog() const {
  if (embeddings_ != nullptr) return embeddings_->seconds_of_backlog();
  const engine::Statistics seen = engine_->statistics();
  int64_t tokens = seen.waiting_tokens;
  for (const auto& [id, length] : waiting_)
    if (id > seen.newest) tokens += length;
  return static_cast<double>(tokens) * seen.seconds_per_prompt_token;
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
      const engine::SequenceId id = engine_->inbox().add(std::move(request));
      live_[id] = {exchange, sequences.size()};
      waiting_[id] = length;
      readers.push_back(reader_of(translation.generation, prepared.prompts[sequences.size() / answers_per_prompt]));
      sequences.push_back(id);
    }
  } catch (const Error& error) {
    for (const engine::SequenceId id : sequences) engine_->inbox().stop(id);
    return fail(exchange, {.message = error.what()});
  }
  exchange->begin(std::move(translation), std::move(sequences), std::move(readers),
                  static_cast<int64_t>(prepared.prompts.front().tokens.size()));
  exchange->reply().on_drained([this, weak = std::weak_ptr(exchange)] {
    if (const auto open = weak.lock()) flush(open);
  });
}

void Desk::admit(const std::shared_ptr<Exchange>& exchange, EmbeddingLoop::Job job) {
  if (exchange->over()) return;
  if (auto failure = closed()) return fail(exchange, *failure);
  if (seconds_of_backlog() > static_cast<double>(options_.max_wait.count())) return fail(exchange, overload());
  job->exchange = exchange;
  embeddings_->add(std::move(job));
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
                  .parser = prompt.parser,
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
    if (live.exchange->take(live.answer, token, now) && engine_ != nullptr) engine_->inbox().stop(token.sequence);
    if (touched.empty() || touched.back() != live.exchange) touched.push_back(live.exchange);
    if (token.finish) live_.erase(token.sequence);
  }
  for (const auto& exchange : touched) flush(exchange);
}

void Desk::deliver(const EmbeddingJob& job) {
  const auto exchange = job.exchange.lock();
  if (exchange == nullptr || exchange->over()) return;
  exchange->answer(job.reply, job.tokens);
  metrics_.add({.reason = "stop",
                .prompt_tokens = job.tokens,
                .cached_tokens = 0,
                .new_tokens = 0,
                .first_token_seconds = 0,
                .seconds = exchange->record().seconds});
  settle(exchange);
}

void Desk::note_token(const Live& live, const engine::NewToken& token, Clock::time_point now) {
  if (waiting_.erase(token.sequence) > 0) return;
  if (live.exchange->over() || !token.token) return;
  const Clock::time_point last = live.exchange->answers()[live.answer].last_token;
  if (last != Clock::time_point{}) metrics_.add_gap(seconds(now - last));
}

// Of answers that have not ended, the engine is told; it says so when it has stopped them.
void Desk::stop_answers(const std::shared_ptr<Exchange>& exchange) {
  for (const auto& answer : exchange->answers())
    if (engine_ != nullptr && live_.contains(answer.sequence)) engine_->inbox().stop(answer.sequence);
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
