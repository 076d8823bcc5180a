// Packed weights as they are kept in files: the same on every processor, and used again without packing.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "kernels/layout/version.h"
#include "kernels/matrix/pack.h"
#include "kernels/testing/matrices.h"

namespace cleave::kernels {
namespace {

constexpr DType kPlainTypes[] = {DType::F32, DType::F16, DType::BF16};

// A matrix of every type that has a layout, of rows that fill no whole strip or panel.
std::vector<Stored> matrices() {
  std::vector<Stored> all;
  for (const DType dtype : kPlainTypes) all.push_back(random_weights(dtype, 70, 256, 31));
  for (const DType dtype : kBlockTypes) all.push_back(random_blocks(dtype, 70, 256, 32));
  all.push_back(random_blocks(DType::FP8_G128, 70, 256, 33));
  return all;
}

std::vector<std::byte> bytes_of(const Matrix& matrix) {
  return {matrix.packed().begin(), matrix.packed().end()};
}

TEST(PackedLayout, IsTheSameForEveryInstructionSet) {
  ThreadPool pool(1);
  for (const Stored& stored : matrices()) {
    const std::vector<std::byte> wanted = bytes_of(*stored.pack({.isa = Isa::Portable}, pool));
    for (const Isa isa : available_isas())
      EXPECT_EQ(bytes_of(*stored.pack({.isa = isa}, pool)), wanted) << to_string(stored.dtype) << " " << to_string(isa);
  }
}

// Where this fails, files that earlier versions have packed would be misread: raise kPackedVersion, then the number.
TEST(PackedLayout, HasAnotherVersionWhereItChanges) {
  ThreadPool pool(1);
  Hash hash, fp8;
  for (const Stored& stored : matrices())
    for (const std::byte byte : bytes_of(*stored.pack({}, pool)))
      (stored.dtype == DType::FP8_G128 ? fp8 : hash).add(byte);
  EXPECT_EQ(kPackedVersion, 1);
  EXPECT_EQ(hash.value(), 3332071518679079595u);
  EXPECT_EQ(fp8.value(), 398312000687861250u);
}

TEST(PackedLayout, IsUsedWithoutPackingWhereAnArenaHoldsIt) {
  ThreadPool pool(2);
  const std::vector<Stored> all = matrices();
  std::vector<std::byte> memory;
  for (const Stored& stored : all) {
    memory.resize((memory.size() + 63) / 64 * 64);
    const std::vector<std::byte> bytes = bytes_of(*stored.pack({}, pool));
    memory.insert(memory.end(), bytes.begin(), bytes.end());
  }
  WeightArena arena{std::span<const std::byte>(memory)};
  const auto no_rows = [](int64_t, std::span<const std::byte*>, std::byte*) { FAIL() << "packs again"; };
  PackOptions options;
  options.arena = &arena;
  for (const Stored& stored : all)
    EXPECT_EQ(bytes_of(*pack_matrix_rows(stored.dtype, stored.n, stored.k, no_rows, options, pool)),
              bytes_of(*stored.pack({}, pool)));
  EXPECT_THROW(pack_matrix_rows(DType::F32, 64, 64, no_rows, options, pool), Error);
}

}  // namespace
}  // namespace cleave::kernels
