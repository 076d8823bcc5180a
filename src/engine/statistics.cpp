#include "engine/statistics.h"

namespace cleave::engine {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr int64_t ticks_of(const std::optional<TimePoint>& time, int64_t never) {
  return time ? time->time_since_epoch().count() : never;
}

std::optional<TimePoint> time_of(int64_t ticks, int64_t never) {
  return ticks == never ? std::nullopt : std::optional(TimePoint(TimePoint::duration(ticks)));
}

}  // namespace

void StatisticsBoard::write(const Statistics& s) {
  running_.store(s.running, kRelaxed);
  waiting_.store(s.waiting, kRelaxed);
  blocks_.store(s.blocks, kRelaxed);
  free_blocks_.store(s.free_blocks, kRelaxed);
  named_blocks_.store(s.named_blocks, kRelaxed);
  waiting_tokens_.store(s.waiting_tokens, kRelaxed);
  newest_.store(s.newest, kRelaxed);
  seconds_per_prompt_token_.store(s.seconds_per_prompt_token, kRelaxed);
  step_began_.store(ticks_of(s.step_began, kNever), kRelaxed);
  step_ended_.store(ticks_of(s.step_ended, kNever), kRelaxed);
  prompt_tokens_.store(s.prompt_tokens, kRelaxed);
  cached_tokens_.store(s.cached_tokens, kRelaxed);
  computed_prompt_tokens_.store(s.computed_prompt_tokens, kRelaxed);
  generated_tokens_.store(s.generated_tokens, kRelaxed);
  preemptions_.store(s.preemptions, kRelaxed);
  steps_.store(s.steps, kRelaxed);
  step_seconds_.store(s.step_seconds, kRelaxed);
  model_seconds_.store(s.model_seconds, kRelaxed);
  exchange_seconds_.store(s.exchange_seconds, kRelaxed);
}

Statistics StatisticsBoard::read() const {
  return {.running = running_.load(kRelaxed),
          .waiting = waiting_.load(kRelaxed),
          .blocks = blocks_.load(kRelaxed),
          .free_blocks = free_blocks_.load(kRelaxed),
          .named_blocks = named_blocks_.load(kRelaxed),
          .waiting_tokens = waiting_tokens_.load(kRelaxed),
          .newest = newest_.load(kRelaxed),
          .seconds_per_prompt_token = seconds_per_prompt_token_.load(kRelaxed),
          .step_began = time_of(step_began_.load(kRelaxed), kNever),
          .step_ended = time_of(step_ended_.load(kRelaxed), kNever),
          .prompt_tokens = prompt_tokens_.load(kRelaxed),
          .cached_tokens = cached_tokens_.load(kRelaxed),
          .computed_prompt_tokens = computed_prompt_tokens_.load(kRelaxed),
          .generated_tokens = generated_tokens_.load(kRelaxed),
          .preemptions = preemptions_.load(kRelaxed),
          .steps = steps_.load(kRelaxed),
          .step_seconds = step_seconds_.load(kRelaxed),
          .model_seconds = model_seconds_.load(kRelaxed),
          .exchange_seconds = exchange_seconds_.load(kRelaxed)};
}

}  // namespace cleave::engine
