#include "inference/translation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace cleave::inference {

BeamSearch::BeamSearch(const BeamSettings& settings) : settings_(settings), running_(1) {
  CHECK(settings.beams >= 1 && settings.max_new_tokens >= 1);
}

void BeamSearch::advance(std::span<const float> log_probabilities) {
  CHECK(!done_);
  collect(log_probabilities);
  if (settings_.beams == 1) return advance_greedily();
  take_finished();
  take_running();
  ++length_;
  improvable_ = improvable_ && can_improve();
  const bool full = static_cast<int64_t>(finished_.size()) == settings_.beams;
  done_ = !improvable_ || (full && settings_.stopping == BeamSettings::Stopping::AtOnce);
}

void BeamSearch::advance_greedily() {
  const Candidate& best = candidates_.front();
  running_.front().tokens.push_back(best.token);
  running_.front().score = best.score;
  ++length_;
  done_ = best.ends;
  if (done_) finished_ = {{running_.front().tokens, best.score}};
}

bool BeamSearch::is_ahead(const Candidate& a, const Candidate& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
}

// Keeps so many that as many as there are beams go on, even if all of the best end.
void BeamSearch::collect(std::span<const float> log_probabilities) {
  const size_t vocabulary = log_probabilities.size() / running_.size();
  const size_t each = settings_.beams == 1 ? 1 : std::max<size_t>(2, 1 + settings_.end_tokens.size());
  const size_t kept = static_cast<size_t>(settings_.beams) * each;
  candidates_.clear();
  for (size_t parent = 0; parent < running_.size(); ++parent)
    for (size_t token = 0; token < vocabulary; ++token)
      offer({running_[parent].score + static_cast<double>(log_probabilities[parent * vocabulary + token]), parent,
             static_cast<int32_t>(token), false},
            kept);
  if (candidates_.empty())
    fail(ErrorKind::InvalidArgument, "the rules for the text forbid all of {} tokens; loosen them", vocabulary);
  std::ranges::sort_heap(candidates_, is_ahead);
  for (Candidate& candidate : candidates_)
    candidate.ends =
        length_ + 1 >= settings_.max_new_tokens || std::ranges::count(settings_.end_tokens, candidate.token) > 0;
}

// Candidates are a heap with the worst of the `kept` best at its front. What must not come is none, nor what is no
// number.
void BeamSearch::offer(const Candidate& candidate, size_t kept) {
  if (!(candidate.score > -std::numeric_limits<double>::infinity())) return;
  if (candidates_.size() == kept) {
    if (!is_ahead(candidate, candidates_.front())) return;
    std::ranges::pop_heap(candidates_, is_ahead);
    candidates_.pop_back();
  }
  candidates_.push_back(candidate);
  std::ranges::push_heap(candidates_, is_ahead);
}

std::vector<int32_t> BeamSearch::tokens_of(const Candidate& candidate) const {
  std::vector<int32_t> tokens = running_[candidate.parent].tokens;
  tokens.push_back(candidate.token);
  return tokens;
}

// Only those count that end among the best, as many as there are beams: the others are there to go on.
void BeamSearch::take_finished() {
  const auto beams = static_cast<size_t>(settings_.beams);
  const bool closed = finished_.size() == beams && settings_.stopping == BeamSettings::Stopping::AtOnce;
  if (closed || !improvable_) return;
  const double divisor = std::pow(static_cast<double>(length_ + 1), settings_.length_penalty);
  for (size_t i = 0; i < std::min(beams, candidates_.size()); ++i)
    if (candidates_[i].ends) finished_.push_back({tokens_of(candidates_[i]), candidates_[i].score / divisor});
  std::ranges::stable_sort(finished_, std::greater{}, &Hypothesis::score);
  if (finished_.size() > beams) finished_.resize(beams);
}

void BeamSearch::take_running() {
  size_t count = 0;
  for (const Candidate& candidate : candidates_) {
    if (candidate.ends || static_cast<int64_t>(count) == settings_.beams) continue;
    if (count == next_.size()) next_.emplace_back();
    Beam& beam = next_[count++];
    const std::vector<int32_t>& tokens = running_[candidate.parent].tokens;
    beam.tokens.assign(tokens.begin(), tokens.end());
    beam.tokens.push_back(candidate.token);
    beam.score = candidate.score;
    beam.parent = candidate.parent;
  }
  next_.resize(count);
  std::swap(running_, next_);
}

// Whether the best running text may become better than the worst complete one, were it as long as is assumed.
bool BeamSearch::can_improve() const {
  if (running_.empty()) return false;
  if (static_cast<int64_t>(finished_.size()) < settings_.beams) return true;
  const bool longest = settings_.stopping == BeamSettings::Stopping::Never && settings_.length_penalty > 0;
  const double length = static_cast<double>(longest ? settings_.max_new_tokens : length_);
  return running_.front().score / std::pow(length, settings_.length_penalty) > finished_.back().score;
}

std::vector<Hypothesis> BeamSearch::results(size_t count) const {
  CHECK(done_);
  std::vector<Hypothesis> best = finished_;
  if (best.size() > count) best.resize(count);
  return best;
}

void log_softmax(std::span<float> logits) {
  const float largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  const double divisor = largest + std::log(sum);
  for (float& logit : logits) logit = static_cast<float>(logit - divisor);
}

}  // namespace cleave::inference
