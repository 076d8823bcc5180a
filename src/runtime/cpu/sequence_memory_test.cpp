#include "runtime/cpu/sequence_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "tensor/convert.h"

namespace cleave::runtime::cpu {
namespace {

// Two layers of attention and one recurrent operation with a state of 10 numbers.
lower::RankPrograms programs() {
  lower::RankPrograms programs;
  programs.kv_layers = {{.kv_heads = 2, .key_dim = 8, .value_dim = 4}, {.kv_heads = 1, .key_dim = 8, .value_dim = 8}};
  programs.states = {10};
  return programs;
}

Options options(DType kv_type) {
  Options options;
  options.numerics.kv_type = kv_type;
  options.sizes = {.max_tokens = 16, .max_output_rows = 3, .kv_tokens = 65};
  return options;
}

class SequenceMemoryTest : public testing::Test {
 protected:
  ThreadPool pool_{2};
};

TEST_F(SequenceMemoryTest, HasWholeBlocksForAllTokensAndASlotForEveryRowOfLogits) {
  SequenceMemory memory(programs(), options(DType::F32), pool_);
  EXPECT_EQ(memory.kv().num_blocks(), 3);
  EXPECT_EQ(memory.states().num_slots(), 3);
  const int64_t numbers = 3 * kKvBlockSize * (2 * (8 + 4) + 8 + 8) + 3 * 10;
  EXPECT_EQ(memory.bytes(), numbers * static_cast<int64_t>(sizeof(float)));
}

TEST_F(SequenceMemoryTest, KeepsF32WhereArithmeticIsExact) {
  Options exact = options(DType::F16);
  exact.numerics.exact = true;
  SequenceMemory as_asked(programs(), options(DType::F16), pool_), in_f32(programs(), exact, pool_);
  EXPECT_EQ(as_asked.kv().layer(0).dtype, DType::F16);
  EXPECT_EQ(in_f32.kv().layer(0).dtype, DType::F32);
}

TEST_F(SequenceMemoryTest, IsFilledWhereAskedFor) {
  Options filled = options(DType::F32);
  filled.fill_cache = true;
  SequenceMemory memory(programs(), filled, pool_), empty(programs(), options(DType::F32), pool_);
  const auto count_zeros = [](const kernels::KvCache& cache) {
    const auto* numbers = static_cast<const float*>(static_cast<const void*>(cache.keys));
    return std::count(numbers, numbers + 3 * kKvBlockSize * 8, 0.0f);
  };
  EXPECT_LT(count_zeros(memory.kv().layer(1)), 5);
  EXPECT_EQ(count_zeros(empty.kv().layer(1)), 3 * kKvBlockSize * 8);
}

TEST_F(SequenceMemoryTest, KeepsWhatALayerHoldsWhereItIsWidened) {
  Options filled = options(DType::F16);
  filled.fill_cache = true;
  SequenceMemory memory(programs(), filled, pool_);
  const auto keys_of = [&](size_t layer, std::vector<float>& numbers) {
    const kernels::KvCache cache = memory.kv().layer(layer);
    numbers.resize(static_cast<size_t>(3 * kKvBlockSize * cache.kv_heads * cache.key_dim));
    convert_to_f32(cache.dtype, {cache.keys, numbers.size() * static_cast<size_t>(info(cache.dtype).block_bytes)},
                   numbers);
  };
  std::vector<float> before, after;
  keys_of(1, before);
  const int64_t bytes = memory.bytes();
  memory.kv().widen(1, pool_);
  keys_of(1, after);
  EXPECT_EQ(memory.kv().layer(0).dtype, DType::F16);
  EXPECT_EQ(memory.kv().layer(1).dtype, DType::F32);
  EXPECT_EQ(after, before);
  EXPECT_EQ(memory.bytes(), bytes + 3 * kKvBlockSize * (8 + 8) * 2);
  memory.kv().widen(1, pool_);
  EXPECT_EQ(memory.bytes(), bytes + 3 * kKvBlockSize * (8 + 8) * 2) << "once";
}

TEST_F(SequenceMemoryTest, CopiesStatesToSnapshotsAndBack) {
  Options with_snapshots = options(DType::F32);
  with_snapshots.sizes.num_snapshots = 2;
  SequenceMemory memory(programs(), with_snapshots, pool_);
  ASSERT_EQ(memory.states().num_slots(), 5);
  const kernels::States states = memory.states().of(0);
  for (int64_t i = 0; i < 50; ++i) states.numbers[i] = static_cast<float>(i);
  const auto first_of = [&](int64_t slot) { return states.numbers[slot * states.size]; };
  const std::vector<int32_t> blocks = {0};
  const SequenceStep sequences[] = {
      {.num_tokens = 1, .blocks = blocks, .state_slot = 1, .saved_slot = 4},
      {.num_tokens = 1, .start_position = 1, .blocks = blocks, .state_slot = 0, .restored_slot = 3},
      {.num_tokens = 1, .blocks = blocks, .state_slot = 2}};
  const StepInput input{{}, sequences, {}};
  memory.check(input);
  memory.restore(input, pool_);
  EXPECT_EQ(first_of(0), 30);
  EXPECT_EQ(states.numbers[9], 39) << "the last number of the slot";
  EXPECT_EQ(first_of(4), 40) << "not yet";
  memory.save(input, pool_);
  EXPECT_EQ(first_of(4), 10);
  EXPECT_EQ(first_of(2), 20);
}

TEST_F(SequenceMemoryTest, RefusesBlocksAndSlotsThatThereAreNone) {
  SequenceMemory memory(programs(), options(DType::F32), pool_);
  const auto check = [&](int32_t block, int64_t slot, int64_t restored = -1, int64_t saved = -1) {
    const std::vector<int32_t> blocks = {0, block};
    const SequenceStep sequence{1, 0, 1, blocks, slot, restored, saved};
    memory.check({{}, {&sequence, 1}, {}});
  };
  EXPECT_NO_THROW(check(2, 2));
  EXPECT_THROW(check(3, 0), Error);
  EXPECT_THROW(check(-1, 0), Error);
  EXPECT_THROW(check(0, 3), Error);
  EXPECT_THROW(check(0, -1), Error);
  EXPECT_THROW(check(0, 0, 3), Error);
  EXPECT_THROW(check(0, 0, 0, 3), Error);
}

}  // namespace
}  // namespace cleave::runtime::cpu
