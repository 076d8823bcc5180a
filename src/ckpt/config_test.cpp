#include "ckpt/config.h"

#include <gtest/gtest.h>

#include "ckpt/testing/bytes.h"

namespace cleave::ckpt {
namespace {

TEST(Config, ReadsInfinitiesOfBothTransformersVersionsAlike) {
  const Json v4 = parse_config(R"({"a": [0.0, Infinity], "b": {"c": -Infinity}, "d": NaN})", "config.json");
  const Json v5 = parse_config(
      R"({"a": [0.0, {"__float__": "Infinity"}], "b": {"c": {"__float__": "-Infinity"}}, "d": {"__float__": "NaN"}})",
      "config.json");
  EXPECT_EQ(v4, v5);
  EXPECT_GT(v5["a"][1].get<double>(), 1e300);
  EXPECT_LT(v5["b"]["c"].get<double>(), -1e300);
}

TEST(Config, LeavesEverythingElseAsItIs) {
  const std::string text = R"({"rope_scaling":null,"torch_dtype":"bfloat16","x":{"__float__":"Infinity","y":1}})";
  EXPECT_EQ(parse_config(text, "config.json"), Json::parse(text));
}

TEST(Config, RefusesWhatIsNoObject) {
  expect_error([] { parse_config("[1]", "config.json"); }, ErrorKind::Corrupt, {"config.json", "JSON object", "array"});
  expect_error([] { parse_config("{", "config.json"); }, ErrorKind::Corrupt, {"config.json", "not valid JSON"});
  expect_error([] { parse_config("", "config.json"); }, ErrorKind::Corrupt, {"config.json"});
  expect_error([] { parse_config(R"({"a":{"__float__":"1"}})", "config.json"); }, ErrorKind::Corrupt,
               {"config.json", "__float__", "\"1\""});
  expect_error([] { parse_config(std::string(300, '['), "config.json"); }, ErrorKind::Corrupt, {"config.json", "256"});
}

TEST(Config, KeepsMessagesShort) {
  const std::string text = "{\"a\": \"" + std::string(100'000, 'x');
  try {
    parse_config(text, "config.json");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 300u);
  }
}

}  // namespace
}  // namespace cleave::ckpt
