#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/testing/error_of.h"
#include "base/testing/temporary_directory.h"

namespace cleave {
namespace {

ErrorKind kind_of_error(const std::filesystem::path& path) {
  try {
    read_file(path);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    return error.kind();
  }
  return ErrorKind::Internal;
}

TEST(Files, AreThereOrNot) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory.write("a", "text");
  EXPECT_TRUE(is_there(file));
  EXPECT_TRUE(is_file(file));
  EXPECT_TRUE(is_there(directory.path()));
  EXPECT_FALSE(is_file(directory.path()));
  EXPECT_FALSE(is_there(directory.path() / "b"));
  EXPECT_FALSE(is_file(file / "c"));  // a file has nothing below it
}

TEST(Files, AreReadToTheLastByte) {
  const TemporaryDirectory directory;
  const std::string text = "line\r\n" + std::string(200'000, '\0') + "end";
  EXPECT_EQ(read_file(directory.write("a", text)), text);
  EXPECT_EQ(read_file(directory.write("empty", "")), "");
}

TEST(Files, MayBePipes) {
  const TemporaryDirectory directory;
  const std::filesystem::path pipe = directory.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << "through a pipe"; });
  EXPECT_EQ(read_file(pipe), "through a pipe");
  writer.join();
}

TEST(Files, ThatCannotBeReadAreNamed) {
  const TemporaryDirectory directory;
  EXPECT_EQ(kind_of_error(directory.path() / "nowhere"), ErrorKind::NotFound);
  EXPECT_EQ(kind_of_error(directory.path()), ErrorKind::Io);  // a folder opens and cannot be read
}

TEST(Files, AreWrittenToTheLastByteInPlaceOfEarlierOnes) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "a";
  const std::string text = "line\r\n" + std::string(200'000, '\0') + "end";
  for (const std::string& bytes : {text, std::string("short")}) {
    write_file(file, bytes);
    EXPECT_EQ(read_file(file), bytes);
  }
}

TEST(Files, ThatCannotBeWrittenAreNamed) {
  const TemporaryDirectory directory;
  const std::filesystem::path nowhere = directory.path() / "nowhere" / "a";
  for (const std::filesystem::path& path : {nowhere, directory.path(), std::filesystem::path("/dev/full")})
    EXPECT_EQ(error_of(ErrorKind::Io, [&] { write_file(path, "text"); }),
              "cannot write " + path.string() + "; give a path that can be written");
}

}  // namespace
}  // namespace cleave
