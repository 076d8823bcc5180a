#include "runtime/cpu/bind_whole_attention.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "kernels/attention/attention.h"
#include "kernels/attention/half_range.h"
#include "runtime/cpu/attention_arguments.h"
#include "runtime/device/kv_blocks.h"

namespace cleave::runtime::cpu {

using lower::Instruction;

namespace {

// Sequences that attend at a time share the room for keys and values, each beginning with a block of its own. A step of
// more is attended to in several turns.
constexpr int64_t kSequencesAtATime = 64;

int64_t num_blocks(const Workspace& w) {
  const int64_t tokens = w.program.limits.max_tokens;
  return kv_blocks_for(tokens) + std::min(tokens, kSequencesAtATime);
}

kernels::KvCache cache_of(const Instruction& i, DType type) {
  const Shape &keys = i.input_shapes[1], &values = i.input_shapes[2];
  return {nullptr, nullptr, type, kKvBlockSize, keys[0], keys[1], values[1], false};
}

size_t aligned(size_t bytes) {
  constexpr size_t kAlignment = lower::Program::kAlignment;
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Keys and values of the sequences that attend at a time. Used by one thread at a time.
class StepAttention {
 public:
  StepAttention(const Instruction& i, const Workspace& w)
      : instruction_(i), w_(w), arguments_(i, w), blocks_(static_cast<size_t>(num_blocks(w))) {
    std::iota(blocks_.begin(), blocks_.end(), 0);
    turn_.reserve(blocks_.size());
  }

  void run(const float* q, const float* k, const float* v, float* y) {
    arguments_.read_biases();
    kernels::KvCache cache = cache_of(instruction_, type_for(k, v));
    const size_t key_bytes = aligned(blocks_.size() * kernels::key_block_bytes(cache));
    const size_t value_bytes = aligned(blocks_.size() * kernels::value_block_bytes(cache));
    cache.keys = w_.scratch.data();
    cache.values = cache.keys + key_bytes;
    const std::span<std::byte> rest = w_.scratch.subspan(key_bytes + value_bytes);
    for (auto next = w_.state.spans().begin(); next != w_.state.spans().end();) {
      take_turn(next);
      kernels::store_kv(k, v, turn_, cache, w_.pool);
      kernels::attention(q, turn_, cache, arguments_.params(), y, rest, w_.pool);
    }
  }

 private:
  using Next = std::span<const kernels::SequenceSpan>::iterator;

  // As many of the next sequences as there are blocks for.
  void take_turn(Next& next) {
    turn_.clear();
    size_t used = 0;
    for (; next != w_.state.spans().end(); ++next) {
      const auto wanted = static_cast<size_t>(kv_blocks_for(next->num_rows));
      if (used + wanted > blocks_.size()) return;
      turn_.push_back(*next);
      turn_.back().blocks = blocks_.data() + used;
      used += wanted;
    }
  }

  // f16 as in the cache, unless that cannot hold a number.
  DType type_for(const float* k, const float* v) const {
    const Shape &keys = instruction_.input_shapes[1], &values = instruction_.input_shapes[2];
    const int64_t tokens = w_.state.num_tokens();
    const bool fits = w_.kv.dtype() != DType::F32 && kernels::fits_half(k, tokens * num_elements(keys), w_.pool) &&
                      kernels::fits_half(v, tokens * num_elements(values), w_.pool);
    return fits ? DType::F16 : DType::F32;
  }

  const Instruction& instruction_;
  const Workspace& w_;
  AttentionArguments arguments_;
  std::vector<int32_t> blocks_;              // 0, 1, 2 ...
  std::vector<kernels::SequenceSpan> turn_;  // those that attend now
};

size_t scratch_bytes_with(const Instruction& i, const Workspace& w, DType type) {
  const kernels::KvCache cache = cache_of(i, type);
  const auto blocks = static_cast<size_t>(num_blocks(w));
  return aligned(blocks * kernels::key_block_bytes(cache)) + aligned(blocks * kernels::value_block_bytes(cache)) +
         kernels::attention_scratch_bytes(AttentionArguments(i, w).params(), cache, w.pool.size());
}

}  // namespace

BoundInstruction bind_whole_attention(const Instruction& i, const Workspace& w) {
  return [attention = std::make_shared<StepAttention>(i, w), q = w.numbers(i.inputs[0]), k = w.numbers(i.inputs[1]),
          v = w.numbers(i.inputs[2]), y = w.value(i.output)] { attention->run(q, k, v, y); };
}

size_t whole_attention_scratch_bytes(const Instruction& i, const Workspace& w) {
  return std::max(scratch_bytes_with(i, w, DType::F32), scratch_bytes_with(i, w, DType::F16));
}

}  // namespace cleave::runtime::cpu
