#include "app/hosts/mpirun.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace cleave::app {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(Mpirun, StartsTheProcessesOfEachHostInOrderUnbound) {
  const RemoteProgram program = {"/opt/cleave", {"generate", "my model", "--hosts", "a:2,b"}, {"DS_X", "Y=1"}, false};
  const std::string command = join(mpirun_command({{"a", 2}, {"b", 1}}, program), " ");
  EXPECT_THAT(command, HasSubstr("mpirun --host a:2,b:1 -np 3 --map-by slot --bind-to none "));
  EXPECT_THAT(command, EndsWith(" -x DS_X -x Y=1 /opt/cleave generate my model --hosts a:2,b"));
  EXPECT_THAT(command, Not(HasSubstr("root")));
}

TEST(Mpirun, MayBeStartedByRootWhereThisProgramIs) {
  EXPECT_THAT(mpirun_command({{"a", 1}}, {"/opt/cleave", {}, {}, true}), testing::Contains("--allow-run-as-root"));
}

TEST(Mpirun, WaitsForASilentMachineOnlySoLong) {
  const std::string wanted = "--mca plm_rsh_args -o ConnectTimeout=10";
  EXPECT_THAT(join(mpirun_command({{"a", 1}}, {"/opt/cleave", {}, {}, false, true}), " "), HasSubstr(wanted));
  EXPECT_THAT(join(mpirun_command({{"a", 1}}, {"/opt/cleave", {}, {}, false, false}), " "), Not(HasSubstr(wanted)));
}

TEST(ForwardedVariables, AreThoseOfDeepSpeedAndCleave) {
  const char* const environment[] = {"PATH=/bin",     "DS_SKIP=1", "CLEAVE_KEEP=*.mlp", "HOME=/",
                                     "MY_CLEAVE_X=1", "DSX=1",     "DS_EMPTY=",         nullptr};
  EXPECT_THAT(forwarded_variables(environment), ElementsAre("CLEAVE_KEEP", "DS_EMPTY", "DS_SKIP"));
}

}  // namespace
}  // namespace cleave::app
