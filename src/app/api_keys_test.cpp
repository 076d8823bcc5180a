#include "app/api_keys.h"

#include <gtest/gtest.h>

#include "base/testing/error_of.h"
#include "base/testing/temporary_directory.h"

namespace cleave::app {
namespace {

TEST(ApiKeys, StandOneALineBetweenComments) {
  const TemporaryDirectory directory;
  const auto path = directory.write("keys", "# of the office\n\n sec#ret \t\r\nother\n#end");
  EXPECT_EQ(read_keys(path), (std::vector<std::string>{" sec#ret", "other"}));
}

TEST(ApiKeys, AreMissedWhereThereAreNone) {
  const TemporaryDirectory directory;
  const auto path = directory.write("keys", "# none\n \n");
  EXPECT_EQ(error_of(ErrorKind::InvalidArgument, [&] { read_keys(path); }),
            path.string() + ": holds no key; write one a line");
  error_of(ErrorKind::NotFound, [&] { read_keys(directory.path() / "nowhere"); });
}

}  // namespace
}  // namespace cleave::app
