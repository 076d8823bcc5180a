#include "ckpt/gguf/parts.h"

#include <gtest/gtest.h>

#include <fstream>

#include "ckpt/testing/bytes.h"

namespace cleave::ckpt {
namespace {

namespace fs = std::filesystem;

class GgufParts : public testing::Test {
 protected:
  GgufParts() { fs::create_directories(folder_); }
  ~GgufParts() override { fs::remove_all(folder_); }

  // Part `number`, counted from 0, of `count`, with one tensor.
  fs::path write(int number, int count, const std::string& tensor, const std::string& name = "m") {
    GgufBuilder builder;
    if (number == 0) builder.key("general.architecture", "llama");
    builder.key("split.no", GgufType::U16, static_cast<uint16_t>(number));
    builder.key("split.count", GgufType::U16, static_cast<uint16_t>(count)).f32_tensor(tensor, {2, 4});
    const fs::path path =
        folder_ / (name + "-0000" + std::to_string(number + 1) + "-of-0000" + std::to_string(count) + ".gguf");
    std::ofstream(path, std::ios::binary) << builder.text();
    return path;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) /
                           ("parts-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(GgufParts, AreReadTogetherWhicheverIsGiven) {
  write(0, 2, "a");
  const fs::path second = write(1, 2, "b");
  const GgufFiles files = open_gguf_files(MappedFile(second));
  EXPECT_EQ(files.files.size(), 2u);
  EXPECT_EQ(files.contents.tensors.size(), 2u);
  EXPECT_EQ(files.contents.metadata.string("general.architecture"), "llama");
  EXPECT_EQ(open_gguf_metadata(MappedFile(second)).path().filename(), "m-00001-of-00002.gguf");
}

TEST_F(GgufParts, NameThePartThatIsMissing) {
  const fs::path second = write(1, 3, "b");
  expect_error([&] { open_gguf_files(MappedFile(second)); }, ErrorKind::NotFound,
               {"m-00001-of-00003.gguf is missing", "3 parts"});
}

TEST_F(GgufParts, ThatDoNotBelongTogetherAreRefused) {
  write(0, 2, "a");
  const fs::path second = write(1, 2, "a");
  expect_error([&] { open_gguf_files(MappedFile(second)); }, ErrorKind::Corrupt, {"\"a\"", "another part"});
  fs::rename(second, folder_ / "renamed.gguf");
  expect_error([&] { open_gguf_files(MappedFile(folder_ / "renamed.gguf")); }, ErrorKind::InvalidArgument,
               {"-00002-of-00002.gguf", "rename"});
}

}  // namespace
}  // namespace cleave::ckpt
