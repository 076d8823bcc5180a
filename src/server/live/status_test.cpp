#include "server/live/status.h"

#include <gtest/gtest.h>

namespace cleave::server {
namespace {

ServedModel model() {
  ServedModel model;
  model.name = "tiny";
  model.architecture = "TinyForCausalLM";
  model.context = 128;
  runtime::RankReport rank{.memory = {.weights = 1000, .kv_cache = 50}, .process = 7, .num_threads = 2};
  std::string("box").copy(rank.machine, 3);
  model.ranks = {rank, rank};
  return model;
}

TEST(Status, TellsModelRanksAndNumbers) {
  const ServedModel served = model();
  const EngineState engine{.running = 2, .kv_blocks = 10, .kv_used = 4, .exchange_seconds = 0.5};
  Metrics metrics;
  metrics.add({.reason = "stop", .new_tokens = 5, .first_token_seconds = 0.03, .seconds = 1});
  metrics.add_rejection("overloaded");
  const OrderedJson json = status_document({.state = "serving",
                                            .problem = "",
                                            .uptime = 12,
                                            .engine = engine,
                                            .metrics = metrics,
                                            .exchanges = {},
                                            .model = &served});
  EXPECT_EQ(json["state"], "serving");
  EXPECT_EQ(json["model"]["name"], "tiny");
  EXPECT_EQ(json["ranks"].size(), 2);
  EXPECT_EQ(json["ranks"][1], (OrderedJson{{"host", "box"},
                                           {"pid", 7},
                                           {"threads", 2},
                                           {"weight_bytes", 1000},
                                           {"cache_bytes", 50},
                                           {"activation_bytes", 0}}));
  EXPECT_EQ(json["now"]["uptime_seconds"], 12);
  EXPECT_EQ(json["now"]["kv_used"], 4);
  EXPECT_EQ(json["now"]["exchange_seconds"], 0.5);
  EXPECT_EQ(json["finished"]["stop"], 1);
  EXPECT_EQ(json["refused"]["overloaded"], 1);
  const OrderedJson& first = json["first_token_seconds"];
  EXPECT_EQ(first["counts"].size(), first["bounds"].size() + 1);
}

TEST(Status, SaysThatThereIsNoModelYet) {
  const Metrics metrics;
  const OrderedJson json = status_document(
      {.state = "loading", .problem = "the model is being loaded", .engine = {}, .metrics = metrics, .exchanges = {}});
  EXPECT_TRUE(json["model"].is_null());
  EXPECT_TRUE(json["ranks"].empty());
}

TEST(Status, ListsTheOldestRequestsOfMany) {
  const Metrics metrics;
  std::unordered_set<std::shared_ptr<Exchange>> exchanges;
  for (int i = 0; i < 60; ++i)
    exchanges.insert(
        std::make_shared<Exchange>(http::Reply(), ExchangeRecord{.id = fmt::format("{}", i)}, api::Dialect::OpenAI));
  const OrderedJson json =
      status_document({.state = "serving", .problem = "", .engine = {}, .metrics = metrics, .exchanges = exchanges});
  ASSERT_EQ(json["requests"].size(), 50);
  EXPECT_EQ(json["requests"][0]["id"], "0");
  EXPECT_EQ(json["requests"][49]["id"], "49");
}

TEST(History, KeepsASampleASecondForFiveMinutes) {
  History history;
  EXPECT_TRUE(history.document()["steps"].empty());
  for (int i = 0; i < 5000; ++i) history.add(i * 0.1, {.steps = i});
  const OrderedJson json = history.document();
  ASSERT_EQ(json["steps"].size(), 300);
  EXPECT_EQ(json["uptime_seconds"].size(), 300);
  EXPECT_GE(json["uptime_seconds"][1].get<double>() - json["uptime_seconds"][0].get<double>(), 1);
  EXPECT_GE(json["steps"][299], 4980);
}

}  // namespace
}  // namespace cleave::server
