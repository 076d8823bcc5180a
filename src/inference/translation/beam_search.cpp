#include "inference/translation/beam_search.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace cleave::inference {

BeamSearch::BeamSearch(const BeamSettings& settings) : settings_(settings), running_(1) {
  CHECK(settings.beams >= 1 && settings.max_new_tokens >= 1);
}

void BeamSearch::advance(std::span<const float> log_probabilities) {
  CHECK(!done_);
  const std::vector<Candidate> candidates = best_candidates(log_probabilities);
  if (settings_.beams == 1) return advance_greedily(candidates.front());
  take_finished(candidates);
  const bool all_end = std::ranges::all_of(candidates, &Candidate::ends);
  take_running(candidates);
  ++length_;
  improvable_ = improvable_ && can_improve();
  const bool full = static_cast<int64_t>(finished_.size()) == settings_.beams;
  done_ = !improvable_ || all_end || (full && settings_.stopping == BeamSettings::Stopping::AtOnce);
}

void BeamSearch::advance_greedily(const Candidate& best) {
  running_ = {{tokens_of(best), best.score, 0}};
  ++length_;
  done_ = best.ends;
  if (done_) finished_ = {{running_.front().tokens, best.score}};
}

// So many that as many as there are beams go on, even if all of the best end.
std::vector<BeamSearch::Candidate> BeamSearch::best_candidates(std::span<const float> log_probabilities) const {
  const size_t vocabulary = log_probabilities.size() / running_.size();
  const size_t kept = static_cast<size_t>(settings_.beams) * std::max<size_t>(2, 1 + settings_.end_tokens.size());
  std::vector<Candidate> all;
  for (size_t parent = 0; parent < running_.size(); ++parent)
    for (size_t token = 0; token < vocabulary; ++token)
      all.push_back({running_[parent].score + static_cast<double>(log_probabilities[parent * vocabulary + token]),
                     parent, static_cast<int32_t>(token), false});
  const size_t count = std::min(kept, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<long>(count), all.end(),
                    [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  all.resize(count);
  for (Candidate& candidate : all)
    candidate.ends =
        length_ + 1 >= settings_.max_new_tokens || std::ranges::count(settings_.end_tokens, candidate.token) > 0;
  return all;
}

std::vector<int32_t> BeamSearch::tokens_of(const Candidate& candidate) const {
  std::vector<int32_t> tokens = running_[candidate.parent].tokens;
  tokens.push_back(candidate.token);
  return tokens;
}

// Only those count that end among the best, as many as there are beams: the others are there to go on.
void BeamSearch::take_finished(const std::vector<Candidate>& candidates) {
  const auto beams = static_cast<size_t>(settings_.beams);
  const bool closed = finished_.size() == beams && settings_.stopping == BeamSettings::Stopping::AtOnce;
  if (closed || !improvable_) return;
  const double divisor = std::pow(static_cast<double>(length_ + 1), settings_.length_penalty);
  for (size_t i = 0; i < std::min(beams, candidates.size()); ++i)
    if (candidates[i].ends) finished_.push_back({tokens_of(candidates[i]), candidates[i].score / divisor});
  std::ranges::stable_sort(finished_, std::greater{}, &Hypothesis::score);
  if (finished_.size() > beams) finished_.resize(beams);
}

void BeamSearch::take_running(const std::vector<Candidate>& candidates) {
  std::vector<Beam> next;
  for (const Candidate& candidate : candidates)
    if (!candidate.ends && static_cast<int64_t>(next.size()) < settings_.beams)
      next.push_back({tokens_of(candidate), candidate.score, candidate.parent});
  running_ = std::move(next);
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
