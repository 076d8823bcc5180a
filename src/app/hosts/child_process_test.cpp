#include "app/hosts/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "base/error.h"

namespace cleave::app {
namespace {

using std::chrono_literals::operator""ms;
using testing::HasSubstr;

std::string all_errors(ChildProcess& child) {
  std::string all;
  while (const auto bytes = child.read_errors(1000ms)) all += *bytes;
  return all;
}

TEST(ChildProcess, GivesStandardErrorAndTheExitCode) {
  ChildProcess child({"sh", "-c", "printf 'first\\n' >&2; printf second >&2; exit 7"});
  EXPECT_EQ(all_errors(child), "first\nsecond");
  EXPECT_EQ(child.wait(), 7);
}

TEST(ChildProcess, GivesTheSignalThatEndedIt) {
  ChildProcess child({"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

TEST(ChildProcess, EndsWhenAskedTo) {
  ChildProcess child({"sleep", "100"});
  EXPECT_EQ(child.read_errors(10ms), "");
  child.terminate();
  EXPECT_EQ(child.wait(), 128 + SIGTERM);
}

TEST(ChildProcess, EndsWithItsObject) {
  const auto begin = std::chrono::steady_clock::now();
  { ChildProcess child({"sleep", "100"}); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(50));
}

TEST(ChildProcess, IsAnErrorWhereThereIsNoSuchProgram) {
  try {
    ChildProcess child({"no-such-program-anywhere"});
    ADD_FAILURE() << "started";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("cannot start no-such-program-anywhere: No such file"));
  }
}

}  // namespace
}  // namespace cleave::app
