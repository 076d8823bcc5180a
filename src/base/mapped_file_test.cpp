#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/buffer.h"
#include "base/error.h"
#include "base/testing/temporary_directory.h"

namespace cleave {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  const TemporaryDirectory directory_;
};

TEST_F(MappedFileTest, ShowsTheBytesAlsoAfterReleasingThem) {
  const std::string text(100'000, 'x');
  const MappedFile file(directory_.write("file", text));
  ASSERT_EQ(file.bytes().size(), text.size());
  file.release(file.bytes().subspan(10, 90'000));
  EXPECT_EQ(std::memcmp(file.bytes().data(), text.data(), text.size()), 0);
}

TEST_F(MappedFileTest, MovesWithoutCopying) {
  MappedFile file(directory_.write("file", "abc"));
  const std::byte* data = file.bytes().data();
  const MappedFile moved(std::move(file));
  EXPECT_EQ(moved.bytes().data(), data);
}

TEST_F(MappedFileTest, AcceptsAnEmptyFile) {
  EXPECT_TRUE(MappedFile(directory_.write("file", "")).bytes().empty());
}

TEST_F(MappedFileTest, SaysWhatIsWrong) {
  const auto kind_of = [](const fs::path& path) {
    try {
      MappedFile{path};
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::Internal;
  };
  EXPECT_EQ(kind_of("no/such/file"), ErrorKind::NotFound);
  EXPECT_EQ(kind_of(directory_.path()), ErrorKind::Io);
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
  EXPECT_EQ(kind_of(directory_.write("pointer", pointer)), ErrorKind::Corrupt);
}

TEST(Buffer, IsZeroedAndAligned) {
  Buffer buffer(5 << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 4096, uintptr_t{0});
  for (size_t i = 0; i < buffer.size(); i += 4096) EXPECT_EQ(buffer.data()[i], std::byte{0});
  EXPECT_EQ(Buffer(0).data(), nullptr);
}

TEST(Buffer, ReportsASizeThatTheSystemDoesNotGive) {
  EXPECT_THROW(Buffer(size_t{1} << 60), Error);
}

}  // namespace
}  // namespace cleave
