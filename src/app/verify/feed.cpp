#include "app/verify/feed.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "engine/kv_blocks.h"
#include "graph/recompute_lengths.h"

namespace cleave::app {
namespace {

/// Position of a track in its tokens: the input's, then the greedy ones but the last, which nothing follows. Those that
/// are known are fed in chunks; then one more is known.
class Cursor {
 public:
  Cursor(Track& track, int64_t slot, const std::vector<int64_t>& recompute_lengths)
      : track_(track),
        slot_(slot),
        recompute_lengths_(recompute_lengths),
        input_length_(static_cast<int64_t>(track.reference->input_ids.size())),
        tokens_(track.reference->input_ids),
        known_(track.prompt > 0 ? track.prompt : input_length_) {
    const auto& greedy = track.reference->greedy;
    if (!greedy.empty()) tokens_.insert(tokens_.end(), greedy.begin(), greedy.end() - 1);
  }

  bool done() const { return position_ == static_cast<int64_t>(tokens_.size()); }

  // Tokens of the next step, at most `room`.
  int64_t next_count(int64_t room) {
    if (done() || waited_++ < track_.delay) return 0;
    if (position_ == known_) learn_next();
    return std::min({room, track_.chunk, known_ - position_});
  }

  std::span<const int32_t> tokens(int64_t count) const {
    return std::span(tokens_).subspan(static_cast<size_t>(position_), static_cast<size_t>(count));
  }
  runtime::SequenceStep step(int64_t count, engine::KvBlocks& blocks) {
    CHECK(blocks.extend(blocks_, position_ + count));
    runtime::SequenceStep step{count, position_, known_, blocks_, slot_};
    step.source_blocks = source_blocks_;
    step.source_length = source_length();
    return step;
  }

  // Computes what is kept of the text that the track depends on.
  void encode_source(engine::KvBlocks& blocks, const std::function<void(const runtime::StepInput&)>& encode) {
    if (source_length() == 0) return;
    CHECK(blocks.extend(source_blocks_, source_length()));
    const runtime::SequenceStep step{source_length(), 0, source_length(), source_blocks_, slot_};
    encode({track_.reference->source, {&step, 1}, {}});
  }

  // Takes the logits that follow the token at the cursor, and moves on.
  void take(std::span<const float> logits) {
    if (position_ < input_length_ && turned_as_reference()) compare_logits(logits);
    const int64_t greedy = position_ - (input_length_ - 1);
    if (position_ + 1 == known_ && greedy >= 0 && greedy < static_cast<int64_t>(track_.reference->greedy.size()))
      compare_choice(logits, track_.reference->greedy[static_cast<size_t>(greedy)]);
    ++position_;
  }

 private:
  int64_t source_length() const { return static_cast<int64_t>(track_.reference->source.size()); }

  void learn_next() {
    if (graph::passes_any(recompute_lengths_, known_, known_ + 1)) position_ = 0;
    ++known_;
  }

  // The reference's logits are those of the whole input at once.
  bool turned_as_reference() const {
    return !graph::passes_any(recompute_lengths_, known_, input_length_) &&
           !graph::passes_any(recompute_lengths_, input_length_, known_);
  }

  void compare_logits(std::span<const float> logits) {
    if (track_.reference->logits.empty()) return;
    const float* reference = track_.reference->logits.data() + static_cast<size_t>(position_) * logits.size();
    for (size_t i = 0; i < logits.size(); ++i) {
      const float difference = std::fabs(logits[i] - reference[i]);
      if (!(difference <= track_.largest_difference))  // NaN too
        track_.largest_difference = std::isnan(difference) ? std::numeric_limits<float>::infinity() : difference;
    }
  }

  void compare_choice(std::span<const float> logits, int32_t wanted) {
    const auto best = std::max_element(logits.begin(), logits.end());
    if (best - logits.begin() == wanted) {
      ++track_.greedy_equal;
      return;
    }
    float largest = 0;
    for (const float logit : logits) largest = std::max(largest, std::fabs(logit));
    const float distance = (*best - logits[static_cast<size_t>(wanted)]) / largest;
    if (!(distance <= track_.greedy_distance))
      track_.greedy_distance = std::isnan(distance) ? std::numeric_limits<float>::infinity() : distance;
  }

  Track& track_;
  int64_t slot_;
  const std::vector<int64_t>& recompute_lengths_;
  int64_t input_length_;
  std::vector<int32_t> tokens_;
  int64_t known_;  // tokens that the model may know of
  engine::KvBlocks::Table blocks_, source_blocks_;
  int64_t position_ = 0;
  int64_t waited_ = 0;
};

}  // namespace

void feed(engine::StepModel& model, std::span<Track> tracks,
          const std::function<void(const runtime::StepInput&)>& encode) {
  const engine::StepLimits limits = model.limits();
  engine::KvBlocks blocks(limits.num_blocks, limits.block_size);
  std::vector<Cursor> cursors;
  for (Track& track : tracks)
    cursors.emplace_back(track, static_cast<int64_t>(cursors.size()), limits.recompute_lengths);
  for (Cursor& cursor : cursors) cursor.encode_source(blocks, encode);
  const auto width = static_cast<size_t>(limits.vocab_size);
  while (!std::all_of(cursors.begin(), cursors.end(), [](const Cursor& c) { return c.done(); })) {
    std::vector<int32_t> tokens, rows;
    std::vector<runtime::SequenceStep> sequences;
    std::vector<Cursor*> parts;
    int64_t room = std::min(limits.max_tokens, limits.max_output_rows);
    for (Cursor& cursor : cursors) {
      const int64_t count = cursor.next_count(room);
      if (count == 0) continue;
      room -= count;
      const auto next = cursor.tokens(count);
      tokens.insert(tokens.end(), next.begin(), next.end());
      sequences.push_back(cursor.step(count, blocks));
      parts.push_back(&cursor);
    }
    if (tokens.empty()) continue;  // every track still waits for its turn
    for (size_t i = 0; i < tokens.size(); ++i) rows.push_back(static_cast<int32_t>(i));
    const std::span<const float> logits = model.step({tokens, sequences, rows}).logits;
    size_t row = 0;
    for (size_t i = 0; i < parts.size(); ++i)
      for (int64_t k = 0; k < sequences[i].num_tokens; ++k) parts[i]->take(logits.subspan(row++ * width, width));
  }
}

}  // namespace cleave::app
