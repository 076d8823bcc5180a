#include "plan/hardware.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::plan {
namespace {

using testing::HasSubstr;

std::string refusal(const Json& json) {
  try {
    Hardware::from_json(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    return error.what();
  }
  return "";
}

Json format(double core_read) {
  return {{"core_read_bytes_per_second", core_read},
          {"machine_read_bytes_per_second", 2e10},
          {"core_flops", 3e10},
          {"machine_flops", 4e10}};
}

TEST(Hardware, ComesBackFromJsonAsItWas) {
  Hardware hardware;
  hardware.name = "two sockets";
  hardware.cores = 64;
  hardware.ranks_per_machine = 2;
  hardware.core_read = 1.5e10;
  hardware.operation_seconds = 3.25e-7;
  hardware.network_bandwidth = 1.25e10;
  hardware.formats["Q4_K"] = {1e10, 2e10, 3e10, 4e10};
  hardware.formats["BF16"] = {1.1e10, 2.2e10, 3.3e11, 4.4e11};
  EXPECT_EQ(Hardware::from_json(parse_json(hardware.to_json().dump(2), "test")), hardware);
}

TEST(Hardware, KeepsDefaultsOfAbsentKeys) {
  Hardware expected;
  expected.cores = 8;
  EXPECT_EQ(Hardware::from_json({{"cores", 8}}), expected);
}

TEST(Hardware, NamesAnUnknownKeyAndTheKnownOnes) {
  const std::string text = refusal({{"core_flop", 1e9}});
  EXPECT_THAT(text, HasSubstr("unknown key core_flop"));
  EXPECT_THAT(text, HasSubstr("core_flops"));
}

TEST(Hardware, RefusesRatesThatAreNoPositiveNumbers) {
  for (const Json& bad : {Json(0), Json(-1.5), Json("fast"), Json(nullptr), Json::array()})
    EXPECT_THAT(refusal({{"core_flops", bad}}), HasSubstr("core_flops is " + bad.dump())) << bad;
}

TEST(Hardware, RefusesCountsThatAreNone) {
  for (const Json& bad : {Json(0), Json(-2), Json(2.5), Json(1e300), Json("2")})
    EXPECT_THAT(refusal({{"cores", bad}}), HasSubstr("cores is " + bad.dump())) << bad;
  EXPECT_THAT(refusal({{"ranks_per_machine", -1}}), HasSubstr("wanted a whole number from 0"));
  EXPECT_THAT(refusal({{"name", 3}}), HasSubstr("name is 3, wanted a text"));
}

TEST(Hardware, RefusesFormatsThatAreIncompleteOrNoTypes) {
  EXPECT_EQ(refusal({{"formats", {{"Q8_0", format(1e10)}}}}), "");
  EXPECT_THAT(refusal({{"formats", {{"Q9_9", format(1e10)}}}}), HasSubstr("formats.Q9_9 names no stored type"));
  EXPECT_THAT(refusal({{"formats", {{"Q8_0", {1e10, 2e10}}}}}), HasSubstr("wanted an object with 4 rates"));
  EXPECT_THAT(refusal({{"formats", {{"Q8_0", format(-1)}}}}),
              HasSubstr("formats.Q8_0.core_read_bytes_per_second is -1"));
  Json renamed = format(1e10);
  renamed.erase("core_flops");
  renamed["flops"] = 1e10;
  EXPECT_THAT(refusal({{"formats", {{"Q8_0", renamed}}}}), HasSubstr("formats.Q8_0 lacks core_flops"));
  EXPECT_THAT(refusal(Json::array()), HasSubstr("wanted a JSON object"));
}

TEST(RatesPerRank, AreThoseOfTheStoredTypeWhereItWasMeasured) {
  Hardware hardware;
  hardware.cores = 4;
  hardware.core_read = 10;
  hardware.machine_read = 24;
  hardware.core_flops = 100;
  hardware.machine_flops = 400;
  hardware.formats["Q4_0"] = {5, 20, 30, 60};
  const RankRates other = rates_per_rank(hardware, 2, 1, "F32");
  EXPECT_DOUBLE_EQ(other.read, 10);
  EXPECT_DOUBLE_EQ(other.flops, 100);
  const RankRates blocks = rates_per_rank(hardware, 2, 2, "Q4_0");
  EXPECT_DOUBLE_EQ(blocks.read, 10);   // two cores' worth, which is half of the machine's
  EXPECT_DOUBLE_EQ(blocks.flops, 30);  // half of the machine's, less than two cores'
}

TEST(RatesPerRank, AreSharedByMoreThreadsThanCores) {
  Hardware hardware;
  hardware.cores = 2;
  hardware.core_read = 10;
  hardware.machine_read = 100;
  hardware.ranks_per_machine = 4;
  EXPECT_DOUBLE_EQ(rates_per_rank(hardware, 4, 1, "").read, 5);
}

TEST(RatesPerRank, RanksBeyondAMachinesCoresAreOnOtherMachines) {
  Hardware hardware;
  hardware.cores = 2;
  hardware.core_read = 10;
  hardware.machine_read = 100;
  EXPECT_DOUBLE_EQ(rates_per_rank(hardware, 4, 1, "").read, 10);
  EXPECT_GT(all_reduce_seconds(hardware, 4, 8192), all_reduce_seconds(hardware, 2, 8192) + hardware.network_latency);
}

}  // namespace
}  // namespace cleave::plan
