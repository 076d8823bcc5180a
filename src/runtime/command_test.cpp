#include "runtime/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <thread>

namespace cleave::runtime {
namespace {

using Kind = Command::Kind;
using testing::ElementsAre;
using testing::ElementsAreArray;

/// Sends commands from rank 0 of three and gives what `see` is shown on the other two.
template <class See>
void pass_on(const std::vector<Command>& commands, See see) {
  const auto communicators = comm::thread_communicators(3);
  std::vector<std::thread> others;
  for (size_t rank = 1; rank < 3; ++rank)
    others.emplace_back([&, rank] {
      CommandChannel channel(*communicators[rank]);
      for (size_t i = 0; i < commands.size(); ++i) see(i, channel.receive());
    });
  CommandChannel channel(*communicators[0]);
  for (const Command& command : commands) channel.send(command);
  for (std::thread& other : others) other.join();
}

/// `sequences` sequences of two tokens each.
struct LongStep {
  explicit LongStep(int32_t sequences) : blocks(static_cast<size_t>(sequences) * 3) {
    std::iota(blocks.begin(), blocks.end(), 1000);
    for (int32_t s = 0; s < sequences; ++s) {
      parts.push_back({2, 40 + s, 50 + s, std::span(blocks).subspan(static_cast<size_t>(s) * 3, 3), s});
      tokens.insert(tokens.end(), {2 * s, 2 * s + 7});
      rows.push_back(2 * s + 1);
      wishes.push_back({s % 5, static_cast<float>(s) * 0.7f});
    }
  }
  StepInput input() const { return {tokens, parts, rows, wishes}; }

  std::vector<int32_t> blocks, tokens, rows;
  std::vector<LogitsWish> wishes;
  std::vector<SequenceStep> parts;
};

void expect_equal(const StepInput& got, const StepInput& wanted) {
  EXPECT_THAT(got.tokens, ElementsAreArray(wanted.tokens));
  EXPECT_THAT(got.output_rows, ElementsAreArray(wanted.output_rows));
  EXPECT_THAT(got.wishes, ElementsAreArray(wanted.wishes));
  ASSERT_EQ(got.sequences.size(), wanted.sequences.size());
  for (size_t s = 0; s < got.sequences.size(); ++s) {
    const SequenceStep &a = got.sequences[s], &b = wanted.sequences[s];
    EXPECT_EQ(a.num_tokens, b.num_tokens);
    EXPECT_EQ(a.start_position, b.start_position);
    EXPECT_EQ(a.rope_length, b.rope_length);
    EXPECT_EQ(a.state_slot, b.state_slot);
    EXPECT_EQ(a.restored_slot, b.restored_slot);
    EXPECT_EQ(a.saved_slot, b.saved_slot);
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_THAT(a.blocks, ElementsAreArray(b.blocks));
  }
}

TEST(CommandChannel, SendsStepsOfEverySize) {
  const LongStep none(0), one(1), many(900);  // 9,900 numbers in several messages
  const std::vector<Command> commands = {{Kind::Step, 3, 1, many.input()},
                                         {Kind::Step, 0, 0, one.input()},
                                         {Kind::Step, 7, 2, none.input()},
                                         {Kind::Step, 3, 1, many.input()}};
  pass_on(commands, [&](size_t i, const Command& command) {
    EXPECT_EQ(command.kind, Kind::Step);
    EXPECT_EQ(command.model, commands[i].model);
    EXPECT_EQ(command.program, commands[i].program);
    EXPECT_TRUE(command.description.empty());
    expect_equal(command.input, commands[i].input);
  });
}

TEST(CommandChannel, SendsDescriptionsOfAnyLength) {
  std::vector<std::string> descriptions;
  for (const size_t length : {0, 1, 3, 4, 4000, 4064, 4065, 100003}) {
    std::string& text = descriptions.emplace_back(length, '\0');
    for (size_t i = 0; i < length; ++i) text[i] = static_cast<char>(i * 31);
  }
  std::vector<Command> commands;
  for (const std::string& text : descriptions)
    commands.push_back({.kind = Kind::Load, .model = static_cast<int32_t>(commands.size()), .description = text});
  pass_on(commands, [&](size_t i, const Command& command) {
    EXPECT_EQ(command.kind, Kind::Load);
    EXPECT_EQ(command.model, static_cast<int32_t>(i));
    EXPECT_EQ(command.description, descriptions[i]);
  });
}

TEST(CommandChannel, KeepsCommandsApart) {
  const LongStep step(2);
  const std::string text = "a model";
  const std::vector<Command> commands = {
      {.kind = Kind::Load, .model = 1, .description = text},
      {Kind::Step, 1, 0, step.input()},
      {Kind::Logits, 1, 0, {.tokens = {}, .sequences = {}, .output_rows = step.rows}},
      {Kind::Unload, 1},
      {Kind::End}};
  pass_on(commands, [&](size_t i, const Command& command) {
    EXPECT_EQ(command.kind, commands[i].kind);
    EXPECT_EQ(command.model, commands[i].model);
    EXPECT_EQ(command.description, commands[i].description);
    expect_equal(command.input, commands[i].input);
  });
}

}  // namespace
}  // namespace cleave::runtime
