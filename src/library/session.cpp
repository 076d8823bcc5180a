#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"
#include "engine/engine.h"
#include "engine/ranks_step_model.h"
#include "inference/answer_stream.h"
#include "inference/loaded.h"
#include "inference/sampling.h"
#include "inference/scorer.h"
#include "library/impl.h"

namespace cleave {
namespace {

Finish finish_of(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::EndToken:
      return Finish::Model;
    case engine::FinishReason::StopText:
      return Finish::StopText;
    case engine::FinishReason::Length:
      return Finish::Length;
    case engine::FinishReason::Context:
      return Finish::Context;
    case engine::FinishReason::Cancelled:
    case engine::FinishReason::Deadline:
    case engine::FinishReason::Failed:  // becomes an error before
      break;
  }
  return Finish::Cancelled;
}

// Far beyond any model and machine, and far below what counting in bytes overflows at.
constexpr int64_t kMostTokens = int64_t{1} << 31;
constexpr int64_t kMostSequences = 1 << 16;

runtime::Options sizes_of(const SessionOptions& options) {
  if (options.context > kMostTokens || options.cache > kMostTokens || options.sequences > kMostSequences)
    fail(
        ErrorKind::InvalidArgument,
        "a session with a context of {} tokens, {} sequences and a cache of {} tokens, wanted at most {} tokens and {} "
        "sequences",
        options.context, options.sequences, options.cache, kMostTokens, kMostSequences);
  if (options.context < 1 || options.sequences < 1 || options.cache < 0)
    fail(ErrorKind::InvalidArgument,
         "a session with a context of {} tokens, {} sequences and a cache of {} tokens, wanted 1 or more (cache: 0 or "
         "more)",
         options.context, options.sequences, options.cache);
  runtime::Options result;
  result.sizes.max_output_rows = options.sequences;
  result.sizes.kv_tokens = std::max(options.context, options.cache);
  return result;
}

}  // namespace

struct Session::Impl {
  Impl(const Model::Impl& opened, Group::Impl& ranks, const SessionOptions& options)
      : model(opened),
        use(ranks.use),
        loaded(inference::load(opened.opened, number_options(opened.options), split_options(options.split),
                               sizes_of(options), ranks.group, opened.options.log, options.progress)),
        steps(*loaded.split),
        engine(steps, std::min(options.context, opened.opened.position_limit().value_or(options.context))),
        score_pool(ranks.group.threads_per_rank()) {
    inference::warn_of_unread_settings(opened.opened.checkpoint.generation_config(), opened.options.log);
  }

  engine::Request engine_request(const Request& request) const {
    const Sampling& sampling = request.sampling;
    const Json& settings = inference::generation_settings(model.opened.checkpoint);
    engine::Request result{.prompt = request.prompt,
                           .sampling = inference::sampling_params({.temperature = sampling.temperature,
                                                                   .top_p = sampling.top_p,
                                                                   .min_p = sampling.min_p,
                                                                   .repeat_penalty = sampling.repeat_penalty,
                                                                   .top_k = sampling.top_k,
                                                                   .seed = sampling.seed,
                                                                   .no_repeat_ngram = sampling.no_repeat_ngram,
                                                                   .min_new_tokens = sampling.min_new_tokens,
                                                                   .suppress = sampling.suppress},
                                                                  settings),
                           .end_tokens = model.text().end_tokens};
    if (const auto limit =
            inference::max_new_tokens(request.max_tokens, settings, static_cast<int64_t>(request.prompt.size())))
      result.max_new_tokens = *limit;
    return result;
  }

  // The stream of a token's sequence, made when its first token comes. What add() noted for it is used up.
  std::optional<inference::AnswerPart> part_of(const engine::NewToken& token) {
    {
      const std::lock_guard lock(mutex);
      if (auto stops = new_stops.extract(token.sequence); !stops.empty())
        streams.begin(token.sequence, std::move(stops.mapped()));
    }
    return streams.push(token);
  }

  void hand_out(const engine::NewToken& token, const std::function<void(const Piece&)>& deliver) {
    const std::optional<inference::AnswerPart> part = part_of(token);
    if (token.error != nullptr) throw Error(*token.error);
    if (!part) return;
    if (part->finish == engine::FinishReason::StopText) engine.stop(token.sequence);
    Piece piece{.request = token.sequence, .tokens = {}, .text = part->text, .finish = {}};
    if (token.token) piece.tokens = {&*token.token, 1};
    if (part->finish) piece.finish = finish_of(*part->finish);
    if (deliver) deliver(piece);
  }

  bool idle() {
    const std::lock_guard lock(mutex);
    return new_stops.empty() && streams.empty();
  }

  const Model::Impl& model;
  GroupUse& use;
  const Membership membership{use};
  inference::LoadedModel loaded;
  engine::RanksStepModel steps;
  engine::Engine engine;
  ThreadPool score_pool;
  inference::AnswerStreams streams{*model.text().tokenizer};  // of the stepping thread
  std::mutex mutex;
  std::map<RequestId, std::vector<std::string>> new_stops;  // of requests without a token; guarded by mutex
};

Session::Session(const Model& model, Group& group, const SessionOptions& options) {
  group.impl_->require_leading();
  const Turn turn(group.impl_->use);
  impl_ = std::make_unique<Impl>(*model.impl_, *group.impl_, options);
}
Session::~Session() = default;

RequestId Session::add(const Request& request) {
  engine::Request wanted = impl_->engine_request(request);
  const std::lock_guard lock(impl_->mutex);  // a token may come before add() has returned
  const RequestId id = impl_->engine.inbox().add(std::move(wanted));
  impl_->new_stops[id] = request.stop;
  return id;
}

void Session::cancel(RequestId id) {
  impl_->engine.inbox().stop(id);
}

bool Session::step(const std::function<void(const Piece&)>& deliver) {
  const Turn turn(impl_->use);
  return impl_->engine.step([&](const engine::NewToken& token) { impl_->hand_out(token, deliver); });
}

Answer Session::generate(const Request& request, const std::function<bool(std::string_view)>& on_text) {
  Answer answer{.tokens = {}, .text = {}, .prompt_tokens = static_cast<int64_t>(request.prompt.size())};
  const RequestId id = add(request);
  bool done = false;
  const auto take = [&](const Piece& piece) {
    if (piece.request != id) return;
    answer.tokens.insert(answer.tokens.end(), piece.tokens.begin(), piece.tokens.end());
    answer.text += piece.text;
    if (on_text && !piece.text.empty() && !on_text(piece.text)) cancel(id);
    if (piece.finish) answer.finish = *piece.finish;
    done = done || piece.finish.has_value();
  };
  try {
    while (!done && step(take)) {
    }
  } catch (...) {
    cancel(id);  // nobody else knows of it
    throw;
  }
  return answer;
}

std::vector<double> Session::score(std::span<const int32_t> tokens) {
  const Turn turn(impl_->use);
  if (!impl_->idle()) fail(ErrorKind::InvalidArgument, "requests are under way; score when their answers are complete");
  const int64_t vocab = impl_->model.opened.vocab_size();
  for (const int32_t token : tokens)
    if (token < 0 || token >= vocab)
      fail(ErrorKind::InvalidArgument, "token {} is outside the model's vocabulary of {}", token, vocab);
  const int64_t room = impl_->engine.max_length();
  if (static_cast<int64_t>(tokens.size()) > room)
    fail(ErrorKind::InvalidArgument, "{} tokens to score in a context of {}; ask for a larger context", tokens.size(),
         room);
  std::vector<double> scores;
  if (tokens.size() < 2) return scores;
  scores.reserve(tokens.size() - 1);
  inference::Scorer(impl_->steps, impl_->score_pool).score(tokens, 1, [&](double nll) { scores.push_back(-nll); });
  return scores;
}

std::vector<int64_t> Session::weight_bytes() const {
  std::vector<int64_t> bytes;
  for (const runtime::RankReport& report : impl_->loaded.split->reports()) bytes.push_back(report.memory.weights);
  return bytes;
}

}  // namespace cleave
