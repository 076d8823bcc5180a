#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/engine.h"
#include "server/live/embedding_loop.h"
#include "server/live/engine_loop.h"
#include "server/live/exchange.h"
#include "server/live/metrics.h"
#include "server/live/served_model.h"

namespace cleave::server {

struct DeskOptions {
  int64_t max_queue = 256;                 // answers at a time, running or waiting
  std::chrono::seconds max_wait{300};      // estimated, for a first token
  std::chrono::milliseconds ping{10'000};  // of silence in a stream
};

/// Where requests meet the model: which are under way, whether there is room for another, whose token or vectors come,
/// who has left. Belongs to the network's thread; of the engine it uses the inbox and the statistics.
class Desk {
 public:
  using Clock = Exchange::Clock;
  using Done = std::function<void(const ExchangeRecord&)>;

  /// `done` hears of each exchange that is over.
  Desk(const DeskOptions& options, Metrics& metrics, Done done)
      : options_(options), metrics_(metrics), done_(std::move(done)) {}

  /// There is a model now. All must live until close(), or for good.
  void open(std::shared_ptr<const ServedModel> model, engine::Engine& engine);
  /// The same of a model that makes vectors.
  void open(std::shared_ptr<const ServedModel> model, EmbeddingLoop& loop);
  /// There is no engine or loop any more. REQUIRES: no answers are under way.
  void close();
  /// Takes no more requests.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }
  const std::shared_ptr<const ServedModel>& model() const { return model_; }

  /// Why no request can be taken at present: loading, ending, or too many.
  std::optional<api::Failure> refusal() const;

  /// A request has come. It is under way until it has been admitted and answered, or has failed. `headers` go with its
  /// reply.
  std::shared_ptr<Exchange> receive(http::Reply reply, ExchangeRecord record, api::Dialect dialect,
                                    http::Headers headers = {});
  /// Gives its prompts to the engine.
  void admit(const std::shared_ptr<Exchange>& exchange, api::Translation translation, Prepared prepared);
  /// Gives its texts to the loop.
  void admit(const std::shared_ptr<Exchange>& exchange, EmbeddingLoop::Job job);
  void fail(const std::shared_ptr<Exchange>& exchange, const api::Failure& failure);
  /// A request that was no exchange has been refused.
  void note_refusal(const api::Failure& failure);

  void deliver(const EngineLoop::Batch& batch);
  /// The job has its reply.
  void deliver(const EmbeddingJob& job);
  /// Pings. To be called a few times each second.
  void tick(Clock::time_point now);
  /// Ends everything that is under way.
  void fail_all(const api::Failure& failure);

  /// Requests under way.
  const std::unordered_set<std::shared_ptr<Exchange>>& exchanges() const { return exchanges_; }
  size_t num_exchanges() const { return exchanges_.size(); }
  /// Answers that the engine has not ended.
  int64_t num_answers() const { return static_cast<int64_t>(live_.size()); }

 private:
  struct Live {
    std::shared_ptr<Exchange> exchange;
    size_t answer;
  };

  std::optional<api::Failure> closed() const;
  api::Failure overload() const;
  std::optional<api::Failure> no_room(const Prepared& prepared) const;
  AnswerReader reader_of(const api::Generation& generation, const PreparedPrompt& prompt) const;
  double seconds_of_backlog() const;
  void note_token(const Live& live, const engine::NewToken& token, Clock::time_point now);
  void stop_answers(const std::shared_ptr<Exchange>& exchange);
  void flush(const std::shared_ptr<Exchange>& exchange);
  void settle(const std::shared_ptr<Exchange>& exchange);
  void leave(const std::shared_ptr<Exchange>& exchange);

  const DeskOptions options_;
  Metrics& metrics_;
  const Done done_;
  std::shared_ptr<const ServedModel> model_;
  engine::Engine* engine_ = nullptr;  // or:
  EmbeddingLoop* embeddings_ = nullptr;
  bool draining_ = false;
  std::unordered_map<engine::SequenceId, Live> live_;  // answers that the engine has not ended
  std::unordered_set<std::shared_ptr<Exchange>> exchanges_;
  std::unordered_map<engine::SequenceId, int64_t> waiting_;  // tokens of prompts whose answers have none
};

}  // namespace cleave::server
