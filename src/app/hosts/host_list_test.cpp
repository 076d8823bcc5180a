#include "app/hosts/host_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::app {
namespace {

using testing::HasSubstr;

TEST(HostList, NamesMachinesAndTheirProcesses) {
  const std::vector<Host> hosts = parse_hosts("node-1.cluster:2,10.0.0.7,b:16");
  ASSERT_EQ(hosts.size(), 3u);
  EXPECT_EQ(hosts[0].name, "node-1.cluster");
  EXPECT_EQ(hosts[0].processes, 2);
  EXPECT_EQ(hosts[1].name, "10.0.0.7");
  EXPECT_EQ(hosts[1].processes, 1);
  EXPECT_EQ(hosts[2].processes, 16);
}

TEST(HostList, RefusesWhatMpirunWouldTakeForSomethingElse) {
  for (const char* text : {"", ",", "a,,b", "a:", "a:0", "a:-1", "a:4097", "a:2x", "a:2:3", ":2", "-oProxyCommand=x:2",
                           "a b:2", "me@a:2", "a:99999999999999999999", "$(x):1"}) {
    try {
      parse_hosts(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
      EXPECT_THAT(error.what(), HasSubstr("wanted a machine's name")) << text;
    }
  }
}

}  // namespace
}  // namespace cleave::app
