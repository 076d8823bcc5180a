#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "inference/embedding/embedder.h"
#include "inference/embedding/text_preparation.h"
#include "server/live/metrics.h"

namespace cleave::server {

class Exchange;

/// A request for vectors that has passed all checks, on its way through the model.
struct EmbeddingJob {
  std::vector<inference::PreparedText> texts = {};
  int64_t tokens = 0;                            // of all texts
  bool base64 = false;                           // how the vectors are told
  std::optional<int64_t> dimensions = {};        // of each vector
  std::vector<std::vector<float>> vectors = {};  // in the order of the texts, as the model gives them
  std::string reply = {};                        // that tells them
  std::weak_ptr<Exchange> exchange = {};         // expired: nobody waits for the vectors
};

/// The thread of an embedding model, as others see it: texts of all requests that wait are computed together, one text
/// of each request in turn. Between batches of a few steps requests join and leave, so that a short one waits neither
/// for a long one nor for clients that are gone.
class EmbeddingLoop {
 public:
  using Job = std::shared_ptr<EmbeddingJob>;
  using Vectors = std::function<void(size_t text, std::vector<float> vector)>;
  /// Computes texts, as inference::Embedder::embed() does.
  using Embed = std::function<void(std::span<const inference::EmbeddingInput> texts, const Vectors& take)>;

  /// `deliver` takes a job all of whose vectors are there, on the model's thread.
  EmbeddingLoop(Embed embed, std::function<void(const Job&)> deliver)
      : embed_(std::move(embed)), deliver_(std::move(deliver)) {}

  /// Takes a job, which must have a text. Thread-safe.
  void add(Job job);

  /// Computes jobs until `stop` is requested and none is left. To be called on the model's thread. Throws what the
  /// model throws.
  void run(const std::stop_token& stop);

  /// Answers of which it tells are requests. Thread-safe.
  EngineState state() const;
  /// How long the texts will take that are not computed, at the speed so far. Thread-safe.
  double seconds_of_backlog() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Turn {
    Job job;
    size_t next = 0;          // texts before it have been computed, or are
    int64_t tokens_left = 0;  // of the others
  };
  bool begin_batch(const std::stop_token& stop);
  void fill_batch();
  void end_batch();

  const Embed embed_;
  const std::function<void(const Job&)> deliver_;
  // Of the batch at hand; only the model's thread uses them.
  std::vector<inference::EmbeddingInput> inputs_;
  std::vector<std::pair<Job, size_t>> places_;  // where each vector goes

  mutable std::mutex mutex_;
  std::condition_variable_any added_;
  // Guarded by mutex_.
  std::deque<Turn> turns_;
  std::vector<Job> ending_;  // whose last texts are in the batch
  int64_t batch_tokens_ = 0;
  std::optional<Clock::time_point> began_;  // the batch
  int64_t tokens_added_ = 0;                // since the start, as all below
  int64_t tokens_computed_ = 0, batches_ = 0;
  double seconds_ = 0;  // of batches
};

}  // namespace cleave::server
