#include "server/live/embedding_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "server/live/exchange.h"

namespace cleave::server {
namespace {

using inference::EmbeddingInput;
using testing::ElementsAre;

/// A loop whose model gives a text's first token as its vector, and whose requests have texts of one length.
class EmbeddingLoopTest : public testing::Test {
 protected:
  // `texts` of `length` tokens; all tokens are `name`.
  EmbeddingLoop::Job job(int32_t name, size_t texts, int64_t length) {
    const auto exchange = std::make_shared<Exchange>(http::Reply(), ExchangeRecord{}, api::Dialect::OpenAI);
    exchanges_.push_back(exchange);
    auto job = std::make_shared<EmbeddingJob>();
    for (size_t i = 0; i < texts; ++i) job->texts.push_back({std::vector<int32_t>(static_cast<size_t>(length), name)});
    job->tokens = static_cast<int64_t>(texts) * length;
    job->exchange = exchange;
    return job;
  }

  // Adds jobs, and computes all that there is.
  void run(const std::vector<EmbeddingLoop::Job>& jobs) {
    for (const auto& job : jobs) loop_.add(job);
    std::stop_source stop;
    stop.request_stop();
    loop_.run(stop.get_token());
  }

  std::vector<std::shared_ptr<Exchange>> exchanges_;
  std::vector<std::vector<int32_t>> batches_;  // names of their texts
  std::vector<int32_t> delivered_;             // names
  std::function<void()> between_ = [] {};      // called in each batch
  EmbeddingLoop loop_{[this](std::span<const EmbeddingInput> texts, const EmbeddingLoop::Vectors& take) {
                        batches_.emplace_back();
                        for (size_t i = texts.size(); i-- > 0;) take(i, {static_cast<float>(texts[i].tokens[0])});
                        for (const EmbeddingInput& text : texts) batches_.back().push_back(text.tokens[0]);
                        between_();
                      },
                      [this](const EmbeddingLoop::Job& job) {
                        delivered_.push_back(job->texts[0].ids[0]);
                        for (const auto& vector : job->vectors)
                          EXPECT_THAT(vector, ElementsAre(static_cast<float>(delivered_.back())));
                      }};
};

TEST_F(EmbeddingLoopTest, ComputesTextsOfAllRequestsTogether) {
  run({job(1, 2, 3), job(2, 1, 5), job(3, 3, 1)});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre(1, 2, 3, 1, 3, 3)));
  EXPECT_THAT(delivered_, ElementsAre(2, 1, 3));
  const EngineState state = loop_.state();
  EXPECT_EQ(state.running + state.waiting + state.waiting_tokens, 0);
  EXPECT_EQ(state.prompt_tokens, 14);
  EXPECT_EQ(state.computed_prompt_tokens, 14);
  EXPECT_EQ(state.steps, 1);
}

TEST_F(EmbeddingLoopTest, LetsNoShortRequestWaitForLongOnes) {
  run({job(1, 50, 500), job(2, 50, 500), job(3, 1, 4)});
  EXPECT_THAT(batches_.front(), ElementsAre(1, 2, 3, 1, 2, 1));
  EXPECT_THAT(delivered_, ElementsAre(3, 1, 2));
  EXPECT_GT(batches_.size(), 15U);
}

TEST_F(EmbeddingLoopTest, TakesRequestsThatComeBetweenBatches) {
  between_ = [&] {
    if (batches_.size() == 1) loop_.add(job(2, 1, 4));
  };
  run({job(1, 50, 500)});
  EXPECT_THAT(delivered_, ElementsAre(2, 1));
}

TEST_F(EmbeddingLoopTest, ComputesNoMoreForThoseWhoHaveLeft) {
  between_ = [&] {
    if (batches_.size() == 2) exchanges_.erase(exchanges_.begin());
  };
  run({job(1, 50, 500), job(2, 50, 500)});
  EXPECT_THAT(delivered_, ElementsAre(2));
  size_t computed = 0;
  for (const auto& batch : batches_) computed += static_cast<size_t>(std::ranges::count(batch, 1));
  EXPECT_LE(computed, 6U);
  EXPECT_EQ(loop_.state().waiting, 0);
}

TEST_F(EmbeddingLoopTest, ComputesNothingForWhoLeftBefore) {
  const auto gone = job(1, 1, 5);
  exchanges_.clear();
  run({gone});
  EXPECT_TRUE(batches_.empty());
  EXPECT_TRUE(delivered_.empty());
}

TEST_F(EmbeddingLoopTest, TellsWhatIsLeftToDo) {
  EXPECT_EQ(loop_.seconds_of_backlog(), 0);
  between_ = [&] {
    const EngineState state = loop_.state();
    if (batches_.size() == 1) {
      EXPECT_EQ(state.running, 1);
      EXPECT_EQ(state.waiting_tokens, 50 * 500 - 5 * 500);
      EXPECT_EQ(loop_.seconds_of_backlog(), 0) << "no speed is known yet";
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_GT(loop_.state().seconds_in_step, 0.001);
    const double backlog = loop_.seconds_of_backlog();
    EXPECT_TRUE(batches_.size() != 2 || backlog > 9 * 0.002) << backlog;
  };
  run({job(1, 50, 500)});
  EXPECT_EQ(loop_.seconds_of_backlog(), 0);
  EXPECT_EQ(loop_.state().seconds_in_step, 0);
}

TEST_F(EmbeddingLoopTest, LetsOutWhatTheModelThrows) {
  between_ = [] { throw std::runtime_error("a rank is lost"); };
  EXPECT_THROW(run({job(1, 1, 5)}), std::runtime_error);
  EXPECT_TRUE(delivered_.empty());
}

}  // namespace
}  // namespace cleave::server
