#include "app/hosts/reachable.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing/temporary_directory.h"

namespace cleave::app {
namespace {

using testing::HasSubstr;

constexpr const char* kElsewhere = "192.0.2.1";  // an address that documentation is written with; no machine has it

// A program in place of ssh that runs these lines of shell.
class Unreachable : public testing::Test {
 protected:
  std::string why(const std::string& lines, const std::string& host = kElsewhere,
                  const std::string& program = "/bin/sh") const {
    const std::filesystem::path agent = folder_.write("agent", fmt::format("#!/bin/sh\n{}\n", lines));
    std::filesystem::permissions(agent, std::filesystem::perms::owner_all);
    return why_unreachable(host, agent, program).value_or("");
  }

  TemporaryDirectory folder_;
};

TEST_F(Unreachable, IsNoMachineThatHasEverything) {
  EXPECT_EQ(why("exit 0"), "");
}

TEST_F(Unreachable, IsNotThisMachine) {
  for (const char* host : {"localhost", "127.0.0.1"}) EXPECT_EQ(why("exit 255", host), "") << host;
}

TEST_F(Unreachable, IsAMachineThatRefusesTheConnection) {
  const std::string text = why("echo warning >&2; echo 'Permission denied (publickey).' >&2; exit 255");
  EXPECT_THAT(text, HasSubstr("192.0.2.1 cannot be reached (Permission denied (publickey).)"));
  EXPECT_THAT(text, HasSubstr("192.0.2.1 true\" must work without a password"));
}

// The agent runs what it was to run there, with a PATH of its own.
TEST_F(Unreachable, IsAMachineWithoutOpenMpiOrTheProgram) {
  EXPECT_THAT(why("PATH=/nonexistent; eval \"$2\""), HasSubstr("192.0.2.1 has no Open MPI"));
  const std::string with_mpi = "orted() { :; }; eval \"$2\"";
  EXPECT_EQ(why(with_mpi), "");
  EXPECT_THAT(why(with_mpi, kElsewhere, "/no/such/it's me"), HasSubstr("192.0.2.1 has no program at /no/such/it's me"));
}

TEST(UnreachableHost, IsNamedWhereThereIsNoSsh) {
  EXPECT_THAT(why_unreachable(kElsewhere, "/no/such/ssh", "/bin/sh").value_or(""),
              HasSubstr("192.0.2.1 cannot be reached: cannot start /no/such/ssh"));
}

}  // namespace
}  // namespace cleave::app
