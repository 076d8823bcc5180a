#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace cleave::inference {

/// How a text is searched for, in the terms of Transformers' GenerationConfig.
struct BeamSettings {
  int64_t beams = 1;
  double length_penalty = 1;  // a text's score is its log-probability over length^length_penalty
  /// When the search ends: once there are as many complete texts as beams (true); once no running text can be better
  /// than the worst of them at its present length (false), or at any length ("never").
  enum class Stopping : uint8_t { AtOnce, Heuristic, Never } stopping = Stopping::Heuristic;
  std::vector<int32_t> end_tokens = {};
  int64_t max_new_tokens = 20;
};

/// A text that is searched for: the tokens behind those that it begins with.
struct Hypothesis {
  std::vector<int32_t> tokens;
  double score = 0;
};

/// Beam search as Transformers has it (generation/utils.py of 4.57, _beam_search): of all continuations of the running
/// texts the best are kept, complete ones apart. Knows no model. With one beam it is greedy search, which ends with the
/// first complete text. Used by one thread.
class BeamSearch {
 public:
  explicit BeamSearch(const BeamSettings& settings);

  /// The texts that run: their number is 1 at first, and then that of the beams.
  struct Beam {
    std::vector<int32_t> tokens;
    double score = 0;   // log-probability
    size_t parent = 0;  // the running text of the step before that it continues
  };
  const std::vector<Beam>& running() const { return running_; }
  bool done() const { return done_; }

  /// Takes the log-probabilities [running texts, vocabulary] of next tokens; minus infinity for what must not come. Of
  /// equally good continuations that of the better text goes first, then that of the smaller token. Throws
  /// Error(InvalidArgument) where no token may come. REQUIRES: not done.
  void advance(std::span<const float> log_probabilities);

  /// The best texts, best first. REQUIRES: done.
  std::vector<Hypothesis> results(size_t count) const;

 private:
  struct Candidate {
    double score;
    size_t parent;
    int32_t token;
    bool ends;
  };
  static bool is_ahead(const Candidate& a, const Candidate& b);
  void collect(std::span<const float> log_probabilities);
  void offer(const Candidate& candidate, size_t kept);
  void advance_greedily();
  void take_finished();
  void take_running();
  std::vector<int32_t> tokens_of(const Candidate& candidate) const;
  bool can_improve() const;

  const BeamSettings settings_;
  std::vector<Candidate> candidates_;  // of a step: the best, best first
  std::vector<Beam> running_, next_;   // `next_` is room for those of the next step
  std::vector<Hypothesis> finished_;   // best first, at most as many as beams
  int64_t length_ = 0;                 // of running texts
  bool improvable_ = true;
  bool done_ = false;
};

/// Natural logarithms of the probabilities that logits stand for, in place.
void log_softmax(std::span<float> logits);

}  // namespace cleave::inference
