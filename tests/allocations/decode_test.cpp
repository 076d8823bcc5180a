#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <vector>

#include "counting.h"
#include "engine/engine.h"
#include "engine/ranks_step_model.h"
#include "inference/loaded.h"

namespace cleave {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const char* folder : {"models", "gguf"})
    for (const auto& entry : fs::directory_iterator(fs::path(CLEAVE_TEST_DATA) / folder))
      if (entry.is_directory() || entry.path().extension() == ".gguf")
        names.push_back(folder / entry.path().filename());
  std::ranges::sort(names);
  return names;
}

/// A model on ranks and threads of this process.
class Running {
 public:
  Running(const fs::path& path, int ranks, int threads, bool exact, int64_t batch)
      : opened_(inference::open({.path = path})),
        group_({.ranks = ranks, .threads_per_rank = threads / ranks}),
        model_(inference::load(opened_, {.exact = exact}, {}, options_for(batch), group_)) {}

  runtime::SplitModel& model() { return *model_.split; }

 private:
  static runtime::Options options_for(int64_t batch) {
    runtime::Options options;
    options.sizes.max_tokens = std::max<int64_t>(16, batch);
    options.sizes.max_output_rows = batch;
    options.sizes.kv_tokens = batch * 256;
    return options;
  }

  inference::OpenedModel opened_;
  inference::Group group_;
  inference::LoadedModel model_;
};

/// Steps in which every sequence of a batch gets a token; four warm up, eight are counted.
void expect_no_allocation(runtime::SplitModel& model, int64_t batch) {
  const auto count = static_cast<size_t>(batch);
  const size_t blocks_each = static_cast<size_t>(model.num_blocks()) / count;
  std::vector<int32_t> blocks(static_cast<size_t>(model.num_blocks())), tokens(count), rows(count);
  std::iota(blocks.begin(), blocks.end(), 0);
  std::iota(tokens.begin(), tokens.end(), 1);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<runtime::SequenceStep> sequences(count);
  const auto step = [&](int64_t position) {
    for (size_t s = 0; s < count; ++s)
      sequences[s] = {1, position, position + 1, std::span(blocks).subspan(s * blocks_each, blocks_each),
                      static_cast<int64_t>(s)};
    model.step({tokens, sequences, rows});
  };
  int64_t position = 0;
  while (position < 4) step(position++);
  const AllocationCount allocations;
  while (position < 12) step(position++);
  const size_t seen = allocations.count();
  EXPECT_EQ(seen, 0u) << "the first from\n" << allocations.first();
}

class DecodeSteps : public testing::TestWithParam<std::string> {
 protected:
  static fs::path path() { return fs::path(CLEAVE_TEST_DATA) / GetParam(); }
};

TEST_P(DecodeSteps, AllocateNothingOnAnyThread) {
  for (const auto& [ranks, threads] : {std::pair{1, 1}, std::pair{1, 2}, std::pair{2, 2}, std::pair{2, 4}})
    for (const bool exact : {false, true}) {
      SCOPED_TRACE(testing::Message() << ranks << " ranks, " << threads << " threads" << (exact ? ", exact" : ""));
      Running running(path(), ranks, threads, exact, 3);
      expect_no_allocation(running.model(), 1);
      expect_no_allocation(running.model(), 3);
    }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, DecodeSteps, testing::ValuesIn(fixtures()), [](const auto& instance) {
  std::string name = instance.param;
  std::ranges::replace_if(
      name, [](char c) { return c == '-' || c == '.' || c == '/'; }, '_');
  return name;
});

TEST(AllocationCount, SeesThoseOfOtherThreadsAndOfTheSystem) {
  const AllocationCount allocations;
  ThreadPool pool(2);
  const size_t before = allocations.count();
  pool.run([](int) { std::vector<int>(10).swap(*std::make_unique<std::vector<int>>(20)); });
  const size_t by_vectors = allocations.count();
  const Buffer buffer(1 << 20);
  EXPECT_GE(by_vectors - before, 4u);
  EXPECT_GT(allocations.count(), by_vectors);
}

TEST(EngineSteps, AllocateNothingWhileAnswersGrow) {
  for (const int ranks : {1, 2}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks");
    Running running(fs::path(CLEAVE_TEST_DATA) / "models" / "llama", ranks, 2, false, 3);
    engine::RanksStepModel steps(running.model());
    engine::Engine engine(steps, 256);
    const engine::SamplingParams sampling[] = {{.temperature = 0},
                                               {.repeat_penalty = 1.1, .temperature = 1, .top_k = 20, .top_p = 0.9},
                                               {.temperature = 1, .min_p = 0.01}};
    for (const engine::SamplingParams& params : sampling)
      engine.add({.prompt = {1, 2, 3}, .sampling = params, .max_new_tokens = 200});
    size_t tokens = 0;
    const auto deliver = [&](const engine::NewToken&) { ++tokens; };
    for (int i = 0; i < 8; ++i) engine.step(deliver);
    const AllocationCount allocations;
    for (int i = 0; i < 150; ++i) engine.step(deliver);
    const size_t seen = allocations.count();
    EXPECT_EQ(seen, 0u) << "the first from\n" << allocations.first();
    EXPECT_EQ(tokens, 3u * 158);
  }
}

}  // namespace
}  // namespace cleave
