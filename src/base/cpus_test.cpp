#include "base/cpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/testing/temporary_directory.h"
#include "base/topology.h"

namespace cleave {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The affinity mask of a machine whose kernel keeps `kernel_bits` of it and lets the process use these CPUs.
ReadAffinityMask machine_of(size_t kernel_bits, std::vector<size_t> cpus) {
  return [=](size_t bytes, cpu_set_t* mask) {
    if (bytes * 8 < kernel_bits) {
      errno = EINVAL;
      return -1;
    }
    CPU_ZERO_S(bytes, mask);
    for (const size_t cpu : cpus) CPU_SET_S(cpu, bytes, mask);
    return 0;
  };
}

TEST(AllowedCpus, AreThoseOfTheMaskInOrder) {
  EXPECT_THAT(allowed_cpus(machine_of(64, {5, 0, 63})), ElementsAre(0, 5, 63));
}

TEST(AllowedCpus, MayHaveNumbersFarBeyondAThousand) {
  EXPECT_THAT(allowed_cpus(machine_of(8192, {1023, 1024, 8191})), ElementsAre(1023, 1024, 8191));
}

TEST(AllowedCpus, AreAnErrorWhereTheSystemDoesNotTell) {
  for (const int error : {EPERM, EINVAL}) {
    try {
      allowed_cpus([&](size_t, cpu_set_t*) {
        errno = error;
        return -1;
      });
      ADD_FAILURE() << "no error";
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.kind(), ErrorKind::Io);
      EXPECT_THAT(thrown.what(), HasSubstr("cannot read the affinity mask"));
    }
  }
}

TEST(AllowedCpus, FollowTheAffinityMaskOfThisThread) {
  std::thread([] {
    const int last = allowed_cpus().back();
    ASSERT_TRUE(pin_current_thread(last));
    EXPECT_THAT(allowed_cpus(), ElementsAre(last));
    EXPECT_EQ(usable_cpus(), 1);
  }).join();
}

// A file system with nothing but what the test writes.
class CpuQuota : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder_.path() / path).parent_path());
    std::ofstream(folder_.path() / path) << text;
  }
  std::optional<double> quota() const { return cpu_quota(folder_.path()); }

  TemporaryDirectory folder_;
};

TEST_F(CpuQuota, IsNoneWhereThereAreNoGroups) {
  EXPECT_EQ(quota(), std::nullopt);
  write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(CpuQuota, IsTheLeastOfTheGroupAndThoseAroundIt) {
  write("proc/self/cgroup", "0::/outer/middle/inner\n");
  write("sys/fs/cgroup/outer/middle/inner/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("sys/fs/cgroup/outer/cpu.max", "300000 100000\n");
  EXPECT_EQ(quota(), 3);
  write("sys/fs/cgroup/outer/middle/inner/cpu.max", "75000 50000\n");
  EXPECT_EQ(quota(), 1.5);
  write("sys/fs/cgroup/cpu.max", "20000 100000\n");  // a container's, which is the topmost group that it sees
  EXPECT_EQ(quota(), 0.2);
}

TEST_F(CpuQuota, OfVersion1HasTwoFiles) {
  write("proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/a/b\n1:name=systemd:/a\nnonsense\n");
  write("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(quota(), std::nullopt) << "without a period";
  write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.5);
}

TEST_F(CpuQuota, CountsWhereGroupsAreMounted) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/docker/abc/job\n0::/docker/abc\n");
  write("proc/self/mountinfo",
        "30 23 0:27 / /sys rw - sysfs sysfs rw\n"
        "nonsense - cgroup\n"
        "40 31 0:35 / /groups/memory rw,relatime - cgroup cgroup rw,memory\n"
        "41 31 0:36 /docker/abc /groups/my\\040cpu rw,relatime shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
        "42 31 0:37 / /groups/unified rw,relatime - cgroup2 cgroup2 rw\n");
  write("groups/my cpu/job/cpu.cfs_quota_us", "400000\n");
  write("groups/my cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 4);
  write("groups/my cpu/cpu.cfs_quota_us", "300000\n");
  write("groups/my cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3);
  write("groups/unified/docker/abc/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2);
}

TEST_F(CpuQuota, IsTheTopGroupsWhereTheOwnOneIsOutsideOfWhatIsSeen) {
  write("proc/self/cgroup", "0::/../other\n");
  write("proc/self/mountinfo", "42 31 0:37 /mine /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2);
}

TEST_F(CpuQuota, IsNoneWhereFilesHoldSomethingElse) {
  write("proc/self/cgroup", "0::/a\n2:cpu:/a\n");
  for (const char* text : {"", "\n", "max\n", "200000\n", "lots of\n", "200000 0\n", "0 100000\n", "-5 100000\n",
                           "99999999999999999999 100000\n"}) {
    write("sys/fs/cgroup/a/cpu.max", text);
    write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", text);
    write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "-100000\n");
    EXPECT_EQ(quota(), std::nullopt) << text;
  }
}

TEST_F(CpuQuota, LimitsThreadsToWholeCpusButLeavesOne) {
  const auto all = static_cast<int>(allowed_cpus().size());
  write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(usable_cpus(folder_.path()), all);
  for (const auto& [microseconds, wanted] : {std::pair{1000, 1},
                                             {100000, 1},
                                             {190000, 1},
                                             {100000 * all, all},
                                             {100000 * all - 1, std::max(1, all - 1)},
                                             {100000 * all + 50000, all}}) {
    write("sys/fs/cgroup/cpu.max", std::to_string(microseconds) + " 100000\n");
    EXPECT_EQ(usable_cpus(folder_.path()), wanted) << microseconds;
  }
}

}  // namespace
}  // namespace cleave
