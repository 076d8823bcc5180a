#include "server/live/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cleave::server {
namespace {

using testing::HasSubstr;

TEST(Histogram, CountsBelowEachBound) {
  constexpr std::array<double, 2> kBounds = {1, 10};
  Histogram histogram(kBounds);
  for (const double value : {0.5, 1.0, 2.0, 100.0}) histogram.add(value);
  MetricsText out;
  out.begin("x", "histogram", "help");
  out.histogram(histogram);
  EXPECT_EQ(out.text(),
            "# HELP x help\n# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"10\"} 3\n"
            "x_bucket{le=\"+Inf\"} 4\nx_sum 103.5\nx_count 4\n");
}

TEST(Metrics, AreTheSameUnderBothNames) {
  Metrics metrics;
  metrics.add({.reason = "stop", .prompt_tokens = 30, .cached_tokens = 10, .new_tokens = 5, .seconds = 1});
  metrics.add_rejection("overloaded");
  metrics.add_response(499);
  const std::string text =
      metrics.text({.running = 2, .waiting = 3, .exchange_seconds = 0.25, .host_seconds = 0.5}, "a \"model\"");
  for (const std::string prefix : {"cleave_", "vllm:"}) {
    EXPECT_THAT(text, HasSubstr("\n" + prefix + "num_requests_waiting 3\n"));
    EXPECT_THAT(text, HasSubstr("\n" + prefix + "prefix_cache_hits_total 10\n"));
    EXPECT_THAT(text, HasSubstr("\n" + prefix + "request_success_total{finished_reason=\"stop\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("\n" + prefix + "generation_tokens_total 5\n"));
  }
  EXPECT_THAT(text, HasSubstr("cleave_http_responses_total{status=\"499\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("cleave_exchange_seconds_total 0.25\n"));
  EXPECT_THAT(text, HasSubstr("cleave_host_seconds_total 0.5\n"));
  EXPECT_THAT(text, HasSubstr("cleave_info{model=\"a \\\"model\\\"\"} 1\n"));
}

}  // namespace
}  // namespace cleave::server
