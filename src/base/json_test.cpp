#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_json(text, "file.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Corrupt);
    return error.what();
  }
  return "no error";
}

TEST(Json, AcceptsWhatPythonWritesForNumbersThatJsonCannotHold) {
  const Json json =
      parse_json(R"({"a": Infinity, "b": -Infinity, "c": NaN, "d": -1, "e": "Infinity NaN \" Infinity"})", "x");
  EXPECT_GT(json["a"].get<double>(), 1e300);
  EXPECT_LT(json["b"].get<double>(), -1e300);
  EXPECT_TRUE(json["c"].is_null());
  EXPECT_EQ(json["d"], -1);
  EXPECT_EQ(json["e"], "Infinity NaN \" Infinity");
}

TEST(Json, NamesTheFile) {
  EXPECT_THAT(error_of("{"), HasSubstr("file.json"));
}

TEST(Json, RejectsDeepNestingWithoutRecursion) {
  EXPECT_THAT(error_of(std::string(1'000'000, '[')), HasSubstr("nested deeper than 256"));
}

TEST(Json, RejectsGarbageBehindTheValue) {
  EXPECT_NE(error_of("{} x"), "no error");
}

}  // namespace
}  // namespace cleave
