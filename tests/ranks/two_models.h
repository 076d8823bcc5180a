#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "app/verify/cases.h"
#include "base/error.h"
#include "inference/loaded.h"
#include "inference/opened.h"

/// Two reference models in one group of ranks, for tests with ranks of any kind.
namespace cleave {

/// A reference model and the first of its cases, a few tokens at a time.
class FedModel {
 public:
  FedModel(const std::filesystem::path& path, inference::Group& group)
      : group_(group),
        opened_(inference::open({.path = path})),
        reference_(app::read_cases(path / "expected.safetensors",
                                   {.vocab_size = opened_.vocab_size(), .width = opened_.vocab_size()})
                       .front()) {}

  void load() {
    runtime::Options options;
    options.sizes = {.max_tokens = 8, .max_output_rows = 8, .kv_tokens = 256};
    loaded_ = inference::load(opened_, {.exact = true}, {.policy = plan::Policy::Split}, options, group_);
    restart();
  }
  void unload() { loaded_.split.reset(); }
  void restart() { fed_ = 0; }

  /// Feeds the next tokens and compares their logits. Gives whether there are more. Throws Error where they differ.
  bool advance() {
    const auto length = static_cast<int64_t>(reference_.input_ids.size());
    const int64_t count = std::min<int64_t>(5, length - fed_);
    std::vector<int32_t> blocks(static_cast<size_t>(loaded_.split->num_blocks())), rows(static_cast<size_t>(count));
    std::iota(blocks.begin(), blocks.end(), 0);
    std::iota(rows.begin(), rows.end(), 0);
    const runtime::SequenceStep sequence{count, fed_, length, blocks};
    const std::span tokens = std::span(reference_.input_ids).subspan(static_cast<size_t>(fed_), rows.size());
    compare(loaded_.split->step({tokens, {&sequence, 1}, rows}).logits);
    fed_ += count;
    return fed_ < length;
  }

  const runtime::SplitModel& split() const { return *loaded_.split; }

 private:
  void compare(std::span<const float> logits) const {
    const float* wanted = reference_.logits.data() + fed_ * loaded_.split->output_width();
    for (size_t i = 0; i < logits.size(); ++i)
      if (!(std::abs(logits[i] - wanted[i]) <= 1e-4f * reference_.largest))
        fail(ErrorKind::InvalidArgument, "logit {} from token {} of {} is {}, wanted {}", i, fed_,
             opened_.checkpoint.path().string(), logits[i], wanted[i]);
  }

  inference::Group& group_;
  const inference::OpenedModel opened_;
  const app::VerifyCase reference_;
  inference::LoadedModel loaded_;
  int64_t fed_ = 0;
};

/// Feeds both from the beginning, one step of each by turns.
inline void feed_by_turns(FedModel& a, FedModel& b) {
  a.restart();
  b.restart();
  for (bool more_a = true, more_b = true; more_a || more_b;) {
    if (more_a) more_a = a.advance();
    if (more_b) more_b = b.advance();
  }
}

/// Loads two models, takes steps of both by turns, unloads one while the other stays, loads it again. Throws Error.
inline void check_two_models(FedModel& a, FedModel& b) {
  a.load();
  b.load();
  feed_by_turns(a, b);
  a.unload();
  b.restart();
  while (b.advance()) {
  }
  a.load();
  feed_by_turns(a, b);
  b.unload();
  b.load();
  feed_by_turns(b, a);
  a.unload();
  b.unload();
}

}  // namespace cleave
