// SmolLM2-135M-Instruct, the real model: token ids and greedy choices as Transformers has them (data/smollm2).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/cpus.h"
#include "base/json.h"
#include "ckpt/safetensors.h"
#include "engine/engine.h"
#include "engine/ranks_step_model.h"
#include "inference/chat.h"
#include "inference/loaded.h"

namespace cleave::inference {
namespace {

constexpr double kClearMargin = 0.05;  // a smaller lead of a logit may be lost to rounding in the default path

constexpr int64_t kNow = 0;  // its template writes no date

struct Reference {
  std::vector<text::ChatMessage> messages;  // empty where the text is sent as it stands
  std::string text;
  std::vector<int32_t> ids, greedy;
  std::vector<double> margin;  // of the logit of each greedy token over the next one
};

std::vector<Reference> references() {
  std::ifstream file(CLEAVE_TEST_DATA "/smollm2/expected.json");
  const Json json = Json::parse(file);
  std::vector<Reference> all;
  for (const Json& entry : json.at("cases")) {
    Reference reference{{}, entry.at("text"), entry.at("ids"), entry.at("greedy"), entry.at("margin")};
    for (const Json& message : entry.value("messages", Json::array()))
      reference.messages.push_back({message.at("role"), message.at("content")});
    all.push_back(std::move(reference));
  }
  if (all.size() != 7) ADD_FAILURE() << "saw " << all.size() << " cases";
  return all;
}

OpenedModel open_smollm2() {
  return open({.path = CLEAVE_MODELS "/SmolLM2-135M-Instruct.Q4_1.gguf"});
}

TEST(SmolLm2, WritesPromptsAndIdsAsTransformersDoes) {
  const OpenedModel opened = open_smollm2();
  const ModelText chat = load_model_text(opened, ChatMode::Automatic);
  const ModelText raw = load_model_text(opened, ChatMode::Never);
  ASSERT_NE(chat.chat, nullptr) << "an instruct model is asked in its chat format without being told to";
  EXPECT_EQ(chat.end_tokens, std::vector<int32_t>{2});
  for (const Reference& reference : references()) {
    EXPECT_EQ(raw.prompt(reference.text, std::nullopt, kNow), reference.ids) << reference.text;
    if (reference.messages.empty()) continue;
    EXPECT_EQ(chat.prompt_text(reference.messages, kNow), reference.text);
    const bool has_system = reference.messages.front().role == "system";
    EXPECT_EQ(chat.prompt(reference.messages.back().content,
                          has_system ? std::optional(reference.messages.front().content) : std::nullopt, kNow),
              reference.ids);
  }
}

TEST(SmolLm2, ChoosesEveryGreedyTokenInExactArithmetic) {
  const OpenedModel opened = open_smollm2();
  Group group({.threads_per_rank = usable_cpus()});
  const LoadedModel model = load(opened, {.exact = true}, {}, {.numerics = {}, .sizes = {.kv_tokens = 1024}}, group);
  engine::RanksStepModel steps(*model.split);
  engine::Engine engine(steps, 1024);
  const std::vector<Reference> all = references();
  std::map<engine::SequenceId, std::vector<int32_t>> answers, wanted;
  for (const Reference& reference : all) {  // all at once, in the same steps
    engine::Request request;
    request.prompt = reference.ids;
    request.max_new_tokens = 48;
    request.end_tokens = {2};
    wanted[engine.add(std::move(request))] = reference.greedy;
  }
  while (engine.step([&](const engine::NewToken& token) { answers[token.sequence].push_back(*token.token); })) {
  }
  EXPECT_EQ(answers, wanted);
}

TEST(SmolLm2, ChoosesTheGreedyTokensThatAreClearInTheDefaultPath) {
  const OpenedModel opened = open_smollm2();
  Group group({.threads_per_rank = usable_cpus()});
  const LoadedModel model = load(opened, {}, {}, {.numerics = {}, .sizes = {.kv_tokens = 128}}, group);
  std::vector<int32_t> blocks(static_cast<size_t>(model.split->num_blocks()));
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<int32_t>(i);
  for (const Reference& reference : references()) {
    // The reference's tokens are fed, so that one choice that differs does not change those after it.
    std::vector<int32_t> tokens = reference.ids;
    int64_t position = 0;
    for (size_t i = 0; i < reference.greedy.size(); ++i) {
      const auto count = static_cast<int64_t>(tokens.size()) - position;
      const runtime::SequenceStep sequence = {count, position, static_cast<int64_t>(tokens.size()), blocks};
      const std::vector<int32_t> rows = {static_cast<int32_t>(count) - 1};
      const std::span<const float> logits =
          model.split->step({std::span(tokens).subspan(static_cast<size_t>(position)), {&sequence, 1}, rows}).logits;
      const auto choice = static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      if (reference.margin[i] >= kClearMargin) {
        EXPECT_EQ(choice, reference.greedy[i])
            << "token " << i << ", margin " << reference.margin[i] << ", after: " << reference.text;
      }
      position += count;
      tokens.push_back(reference.greedy[i]);
    }
  }
}

// The largest difference of a logit behind each prompt from Transformers'.
double largest_error(const NumberOptions& numbers) {
  const OpenedModel opened = open_smollm2();
  Group group({.threads_per_rank = usable_cpus()});
  const LoadedModel model = load(opened, numbers, {}, {.numerics = {}, .sizes = {.kv_tokens = 128}}, group);
  const ckpt::SafetensorsFile file(CLEAVE_TEST_DATA "/smollm2/expected.safetensors");
  const std::vector<Reference> all = references();
  const std::vector<int32_t> blocks = {2, 1, 3, 0};
  double largest = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto count = static_cast<int64_t>(all[i].ids.size());
    const runtime::SequenceStep sequence = {count, 0, count, blocks};
    const std::vector<int32_t> rows = {static_cast<int32_t>(count) - 1};
    const std::span<const float> logits = model.split->step({all[i].ids, {&sequence, 1}, rows}).logits;
    const auto* wanted = file.find("logits_" + std::to_string(i));
    for (size_t t = 0; t < logits.size(); ++t) {
      float value = 0;
      std::memcpy(&value, wanted->bytes.data() + t * sizeof value, sizeof value);
      largest = std::fmax(largest, std::fabs(logits[t] - value));
    }
  }
  return largest;
}

TEST(SmolLm2, MovesLogitsLittleWithKeysAndValuesInInt8) {
  const double plain = largest_error({});
  const double int8 = largest_error({.int8_kv = true});
  EXPECT_LT(plain, 0.03);
  EXPECT_LT(int8, 0.5) << "of logits up to 25";
}

}  // namespace
}  // namespace cleave::inference
