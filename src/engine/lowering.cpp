#include "engine/lowering.h"

#include <algorithm>
#include <limits>

namespace cleave::engine {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

/// The candidates by their ids, while it lives.
class Places {
 public:
  explicit Places(SamplingScratch& scratch) : scratch_(scratch) {
    int32_t place = 0;
    for (const Candidate& c : scratch.candidates) {
      const auto id = static_cast<size_t>(c.id);
      if (id >= scratch.places.size()) scratch.places.resize(id + 1);
      scratch.places[id] = ++place;
    }
  }
  ~Places() {
    for (const Candidate& c : scratch_.candidates) scratch_.places[static_cast<size_t>(c.id)] = 0;
  }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  /// Null: it is not among them.
  Candidate* find(int32_t token) const {
    const auto id = static_cast<size_t>(token);
    const int32_t place = id < scratch_.places.size() ? scratch_.places[id] : 0;
    return place == 0 ? nullptr : &scratch_.candidates[static_cast<size_t>(place) - 1];
  }

  /// Calls change(candidate, count) for those that the tokens hold.
  template <class Change>
  void for_held(std::span<const int32_t> tokens, const Change& change) const {
    std::vector<Candidate>& candidates = scratch_.candidates;
    scratch_.counts.resize(std::max(scratch_.counts.size(), candidates.size()));
    for (const int32_t token : tokens)
      if (const Candidate* c = find(token)) ++scratch_.counts[static_cast<size_t>(c - candidates.data())];
    for (size_t i = 0; i < candidates.size(); ++i)
      if (const int32_t count = std::exchange(scratch_.counts[i], 0)) change(candidates[i], count);
  }

 private:
  SamplingScratch& scratch_;
};

// Forbids all but the tokens of a list.
void keep(const Places& places, std::span<const int32_t> allowed, SamplingScratch& scratch) {
  scratch.allowed.assign(scratch.candidates.size(), 0);
  for (const int32_t token : allowed)
    if (const Candidate* c = places.find(token))
      scratch.allowed[static_cast<size_t>(c - scratch.candidates.data())] = 1;
  for (size_t i = 0; i < scratch.candidates.size(); ++i)
    if (scratch.allowed[i] == 0) scratch.candidates[i].logit = kForbidden;
}

}  // namespace

void lower(const SamplingParams& params, const History& history, SamplingScratch& scratch) {
  const Places places(scratch);
  if (params.repeat_penalty != 1)
    places.for_held(history.tokens,
                    [&](Candidate& c, int32_t) { c.logit = penalised(c.logit, params.repeat_penalty); });
  if (params.frequency_penalty != 0 || params.presence_penalty != 0)
    places.for_held(history.answer(), [&](Candidate& c, int32_t count) { c.logit -= punishment(params, count); });
  for (const auto& [token, bias] : params.logit_bias)
    if (Candidate* c = places.find(token)) c->logit += bias;
  if (!params.allowed.empty()) keep(places, params.allowed, scratch);
  if (history.allowed.empty()) return;
  for (Candidate& c : scratch.candidates)
    if (!history.allows(c.id)) c.logit = kForbidden;
}

}  // namespace cleave::engine
