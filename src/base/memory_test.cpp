#include "base/memory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/temporary_directory.h"

namespace cleave {
namespace {

class AvailableMemory : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder_.path() / path).parent_path());
    std::ofstream(folder_.path() / path) << text;
  }
  std::optional<int64_t> available() const { return available_memory(folder_.path()); }

  TemporaryDirectory folder_;
};

TEST_F(AvailableMemory, IsUnknownWhereTheSystemDoesNotSay) {
  EXPECT_EQ(available(), std::nullopt);
}

TEST_F(AvailableMemory, IsWhatTheMachineHas) {
  write("proc/meminfo", "MemTotal:  100 kB\nMemAvailable:     70 kB\nSwapTotal: 9 kB\nSwapFree:   5 kB\n");
  EXPECT_EQ(available(), 75 * 1024);
}

TEST_F(AvailableMemory, IsWhatTheGroupsLeave) {
  write("proc/meminfo", "MemAvailable:     70 kB\n");
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  write("sys/fs/cgroup/outer/inner/memory.current", "100\n");
  EXPECT_EQ(available(), 70 * 1024);
  write("sys/fs/cgroup/outer/memory.max", "5000\n");
  write("sys/fs/cgroup/outer/memory.current", "4000\n");
  write("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 200\nactive_file 30\n");
  EXPECT_EQ(available(), 1230);
  write("sys/fs/cgroup/outer/inner/memory.max", "90\n");
  EXPECT_EQ(available(), 0);
}

TEST_F(AvailableMemory, IsWhatAGroupOfVersion1Leaves) {
  write("proc/self/cgroup", "3:cpu,cpuacct:/a\n4:memory:/docker/unseen\n1:name=systemd:/a\nnonsense\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n");  // a container's, which is its top
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000\n");
  write("sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 300\n");
  EXPECT_EQ(available(), 4300);
}

TEST(AvailableMemoryHere, IsKnown) {
  ASSERT_TRUE(available_memory().has_value());
  EXPECT_GT(*available_memory(), 0);
}

}  // namespace
}  // namespace cleave
