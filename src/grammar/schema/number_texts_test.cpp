#include "grammar/schema/number_texts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "grammar/program/limits.h"

namespace cleave::grammar {
namespace {

// Numbers of up to two places, as hundredths: their order is that of integers.
std::string text_of(int hundredths, int places) {
  const int whole = std::abs(hundredths) / 100, rest = std::abs(hundredths) % 100;
  const char* sign = hundredths < 0 ? "-" : "";
  if (places == 0) return fmt::format("{}{}", sign, whole);
  if (places == 1) return fmt::format("{}{}.{}", sign, whole, rest / 10);
  return fmt::format("{}{}.{:02}", sign, whole, rest);
}

NumberLimit limit_of(int hundredths, bool exclusive) {
  return {*decimal_of(OrderedJson::parse(text_of(hundredths, 2))), exclusive};
}

TEST(NumberTexts, AreThoseBetweenTheLimits) {
  std::mt19937 random(3);
  for (int run = 0; run < 60; ++run) {
    NumberRule rule;
    const int low = static_cast<int>(random() % 3000) - 1500, high = low + static_cast<int>(random() % 1500);
    const bool has_low = random() % 4 != 0, has_high = random() % 4 != 0;
    if (has_low) rule.min = limit_of(low, random() % 2 == 0);
    if (has_high) rule.max = limit_of(high, random() % 2 == 0);
    rule.integer = random() % 3 == 0;
    Budget budget{Limits()};
    const Dfa texts = number_texts(rule, budget);
    for (int value = low - 220; value <= high + 220; ++value) {
      const bool above = !has_low || value > low || (value == low && !rule.min->exclusive);
      const bool below = !has_high || value < high || (value == high && !rule.max->exclusive);
      for (int places = 0; places <= 2; ++places) {
        if ((places == 0 && value % 100 != 0) || (places == 1 && value % 10 != 0)) continue;
        EXPECT_EQ(texts.accepts(text_of(value, places)), above && below && (!rule.integer || places == 0))
            << low << " " << high << " " << text_of(value, places);
      }
    }
  }
}

TEST(NumberTexts, AreMultiples) {
  for (const int multiple : {25, 100, 700, 30, 1}) {
    NumberRule rule;
    rule.multiples.push_back(limit_of(multiple, false).value);
    NumberRule opposite;
    opposite.not_multiples = rule.multiples;
    Budget budget{Limits()};
    const Dfa texts = number_texts(rule, budget), others = number_texts(opposite, budget);
    for (int value = -1500; value <= 1500; ++value) {
      EXPECT_EQ(texts.accepts(text_of(value, 2)), value % multiple == 0) << value << " of " << multiple;
      EXPECT_EQ(others.accepts(text_of(value, 2)), value % multiple != 0) << value << " of " << multiple;
    }
  }
}

TEST(Decimal, ReadsExponentsAndKeepsLimitsInside) {
  const auto read = [](const char* text, int inwards = 0) {
    const Decimal value = *decimal_of(OrderedJson::parse(text), inwards);
    return fmt::format("{}{}.{}", value.negative ? "-" : "", value.whole, value.fraction);
  };
  EXPECT_EQ(read("1.5e3"), "1500.");
  EXPECT_EQ(read("25e-3"), "0.025");
  EXPECT_EQ(read("-0.0"), "0.");
  EXPECT_EQ(read("-0.50"), "-0.5");
  EXPECT_EQ(read("18446744073709551615"), "18446744073709551615.");
  // A double holds 12345678901234567890123 only rounded: the limit moves inwards.
  EXPECT_LT(limit_of(0, false).value.compare(*decimal_of(OrderedJson::parse("1e-300"))), 0);
  const Decimal up = *decimal_of(OrderedJson::parse("12345678901234567890123"), 1);
  const Decimal down = *decimal_of(OrderedJson::parse("12345678901234567890123"), -1);
  const Decimal exact{false, "12345678901234567890123", ""};
  EXPECT_GT(up.compare(exact), 0);
  EXPECT_LT(down.compare(exact), 0);
}

}  // namespace
}  // namespace cleave::grammar
