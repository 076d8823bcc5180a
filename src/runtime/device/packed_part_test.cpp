#include "runtime/device/packed_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/testing/temporary_directory.h"

namespace cleave::runtime {
namespace {

using testing::HasSubstr;

std::vector<std::byte> numbers(size_t count, int first) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(first + static_cast<int>(i * 7 % 251));
  return bytes;
}

class PackedPartTest : public testing::Test {
 protected:
  // Two pieces, of which the first fills more than a chunk of the checksum.
  PartDescription write() {
    PartWriter writer(file_);
    PartDescription part{.identity = {"model", 1, 3}, .pieces = {}, .stored_bytes = 7};
    part.pieces.resize(2);
    part.pieces[0].layout = {.num_rows = 2, .row_elements = 5, .dtype = DType::BF16, .is_dequantized = true};
    for (size_t i = 0; i < 2; ++i) {
      const std::vector<std::byte> bytes = numbers(i == 0 ? kChecksumChunk + 100 : 30, static_cast<int>(i));
      part.pieces[i].offset = writer.add(bytes);
      part.pieces[i].bytes = static_cast<int64_t>(bytes.size());
      if (i == 0) part.arena_bytes = writer.data_bytes();
    }
    writer.finish(part);
    return part;
  }

  std::string error() const {
    try {
      const PackedPart part(file_);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  const TemporaryDirectory folder_;
  const std::filesystem::path file_ = folder_.path() / "part";
};

TEST_F(PackedPartTest, GivesWhatWasWritten) {
  const PartDescription written = write();
  const PackedPart part(file_);
  EXPECT_EQ(part.description().identity, written.identity);
  EXPECT_EQ(part.description().stored_bytes, 7);
  EXPECT_EQ(part.description().arena_bytes, kChecksumChunk + 100);
  EXPECT_EQ(part.description().pieces[0].layout.dtype, DType::BF16);
  EXPECT_TRUE(part.description().pieces[0].layout.is_dequantized);
  for (size_t i = 0; i < 2; ++i) {
    const auto piece = part.piece(i);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(piece.data()) % 64, 0u);
    EXPECT_EQ(std::vector(piece.begin(), piece.end()), numbers(piece.size(), static_cast<int>(i)));
  }
}

TEST_F(PackedPartTest, HasTheChecksumOfItsChunks) {
  write();
  const PackedPart part(file_);
  const auto whole = static_cast<size_t>(kChecksumChunk);
  EXPECT_EQ(part.description().checksum,
            chunk_checksum(part.data().first(whole), 0) + chunk_checksum(part.data().subspan(whole), 1));
}

TEST_F(PackedPartTest, LeavesNothingWhereItIsNotFinished) {
  {
    PartWriter writer(file_);
    writer.add(numbers(10, 0));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(PackedPartTest, RefusesATruncatedFile) {
  write();
  const auto size = std::filesystem::file_size(file_);
  for (const uintmax_t left : {size - 1, size / 2, uintmax_t{24}}) {
    std::filesystem::resize_file(file_, left);
    EXPECT_THAT(error(), HasSubstr("is it truncated?")) << left;
  }
  std::filesystem::resize_file(file_, 10);
  EXPECT_THAT(error(), HasSubstr("holds no packed weights"));
}

TEST_F(PackedPartTest, RefusesPiecesBeyondItsData) {
  PartWriter writer(file_);
  PartDescription part;
  part.pieces.resize(1);
  part.pieces[0] = {.layout = {}, .offset = writer.add(numbers(64, 0)), .bytes = 65};
  writer.finish(part);
  EXPECT_THAT(error(), HasSubstr("a weight of 65 bytes at offset 0 of 64 bytes of data"));
}

}  // namespace
}  // namespace cleave::runtime
