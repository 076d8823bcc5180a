#include "runtime/weights/weight_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numeric>

#include "base/error.h"
#include "base/testing/temporary_directory.h"
#include "ckpt/checkpoint.h"
#include "tensor/convert.h"

namespace cleave::runtime {
namespace {

using graph::Graph;
using graph::NodeId;
using graph::Op;

// A directory with an f32 matrix "w" [rows, columns] of 0, 1, 2, ...
class WeightReaderTest : public testing::Test {
 protected:
  static constexpr int64_t kRows = 6, kColumns = 4;

  void SetUp() override {
    std::vector<float> values(kRows * kColumns);
    std::iota(values.begin(), values.end(), 0.0f);
    std::string header = R"({"w":{"dtype":"F32","shape":[6,4],"data_offsets":[0,96]}})";
    const uint64_t length = header.size();
    std::ofstream file(folder_.path() / "model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << header;
    file.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(float)));
    file.close();
    folder_.write("config.json", "{}");
    checkpoint_.emplace(ckpt::Checkpoint::open(folder_.path()));
  }

  std::vector<float> read(const lower::WeightView& view) const {
    const WeightReader reader(*checkpoint_, view);
    EXPECT_EQ(reader.layout().dtype, DType::F32);
    std::vector<float> all;
    std::vector<std::byte> buffer(static_cast<size_t>(reader.layout().row_size()));
    for (int64_t r = 0; r < reader.layout().num_rows; ++r) {
      const auto row = reader.row(r, buffer);
      std::vector<float> numbers(row.size() / sizeof(float));
      std::memcpy(numbers.data(), row.data(), row.size());
      all.insert(all.end(), numbers.begin(), numbers.end());
    }
    for (const int64_t count : {1, 2, 3, 100}) EXPECT_EQ(read_together(reader, count), all) << count << " at a time";
    return all;
  }

  static std::vector<float> read_together(const WeightReader& reader, int64_t count) {
    const auto elements = static_cast<size_t>(reader.layout().row_elements);
    std::vector<float> all;
    for (int64_t first = 0; first < reader.layout().num_rows; first += count) {
      std::vector<const std::byte*> rows(static_cast<size_t>(std::min(count, reader.layout().num_rows - first)));
      std::vector<float> buffer(rows.size() * elements);
      reader.rows(first, rows, reinterpret_cast<std::byte*>(buffer.data()));
      for (const std::byte* row : rows) {
        all.resize(all.size() + elements);
        std::memcpy(all.data() + all.size() - elements, row, elements * sizeof(float));
      }
    }
    return all;
  }

  lower::WeightView stored() { return lower::view_of(graph_, graph_.weight({"w"}, {kRows, kColumns}), {}); }

  const TemporaryDirectory folder_;
  std::optional<ckpt::Checkpoint> checkpoint_;
  Graph graph_;
};

TEST_F(WeightReaderTest, BorrowsWholeRows) {
  const lower::WeightView view = stored();
  const WeightReader reader(*checkpoint_, view);
  ASSERT_TRUE(reader.mapped());
  EXPECT_EQ(reader.row(1, {}).data(), reader.mapped()->row(1).data());
}

TEST_F(WeightReaderTest, ReadsATranspose) {
  const NodeId t =
      graph_.add(Op::Transpose, {graph_.weight({"w"}, {kRows, kColumns})}, graph::TransposeAttributes{{1, 0}});
  const lower::WeightView whole = stored();
  const lower::WeightView view = lower::view_of(graph_, t, {&whole});
  EXPECT_THAT(read(view), testing::ElementsAre(0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11,
                                               15, 19, 23));
  EXPECT_FALSE(WeightReader(*checkpoint_, view).mapped());
}

TEST_F(WeightReaderTest, ReadsEverySecondRowOfAFusedWeight) {
  const NodeId w = graph_.weight({"w"}, {kRows, kColumns});
  const NodeId pairs = graph_.add(Op::Reshape, {w}, graph::ReshapeAttributes{{3, 2, 4}});
  const NodeId second = graph_.add(Op::Slice, {pairs}, graph::SliceAttributes{1, 1, 2});
  const lower::WeightView whole = stored();
  const lower::WeightView split = lower::view_of(graph_, pairs, {&whole});
  EXPECT_THAT(read(lower::view_of(graph_, second, {&split})),
              testing::ElementsAre(4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23));
}

TEST_F(WeightReaderTest, JoinsPiecesAlongEitherDimension) {
  const NodeId w = graph_.weight({"w"}, {kRows, kColumns});
  const lower::WeightView whole = stored();
  const NodeId left = graph_.add(Op::Slice, {w}, graph::SliceAttributes{1, 0, 1});
  const NodeId right = graph_.add(Op::Slice, {w}, graph::SliceAttributes{1, 3, 4});
  const lower::WeightView a = lower::view_of(graph_, right, {&whole}), b = lower::view_of(graph_, left, {&whole});
  const NodeId beside = graph_.add(Op::Concat, {right, left}, graph::ConcatAttributes{1});
  EXPECT_THAT(read(lower::view_of(graph_, beside, {&a, &b})),
              testing::ElementsAre(3, 0, 7, 4, 11, 8, 15, 12, 19, 16, 23, 20));
  const NodeId below = graph_.add(Op::Concat, {right, left}, graph::ConcatAttributes{0});
  EXPECT_THAT(read(lower::view_of(graph_, below, {&a, &b})),
              testing::ElementsAre(3, 7, 11, 15, 19, 23, 0, 4, 8, 12, 16, 20));
}

// A source with one tensor "w" [6, 4] whose numbers 0, 1, 2, ... exist nowhere.
class Counted final : public ckpt::TensorReader, public ckpt::TensorSource {
 public:
  DType dtype() const override { return DType::F32; }
  std::span<const TensorView> parts() const override { return {}; }
  void read(int64_t element, std::span<std::byte> target) const override {
    std::vector<float> numbers(target.size() / sizeof(float));
    EXPECT_LE(element % 4 + static_cast<int64_t>(numbers.size()), 4) << "one row at a time";
    std::iota(numbers.begin(), numbers.end(), static_cast<float>(element));
    std::memcpy(target.data(), numbers.data(), target.size());
  }
  const ckpt::Tensor* find(std::string_view) const override { return &tensor_; }
  std::vector<std::string> names() const override { return {"w"}; }
  void release(const TensorView&) const override {}
  void release_all() const override {}

 private:
  ckpt::Tensor tensor_{{DType::F8_E4M3, {6, 4}, {}}, {std::shared_ptr<void>(), this}};
};

TEST_F(WeightReaderTest, TakesRowsAndTransposesFromAReaderAsFromAFile) {
  const Counted counted;
  const lower::WeightView whole = stored();
  const WeightReader rows(counted, whole);
  EXPECT_TRUE(rows.layout().is_dequantized);
  EXPECT_FALSE(rows.layout().is_mapped);
  EXPECT_EQ(read_together(rows, 4), read(whole));
  const lower::WeightView transposed = lower::transposed(whole);
  EXPECT_EQ(read_together(WeightReader(counted, transposed), 3), read(transposed));
}

// A source with one tensor "w" [4, 64] in blocks of 32.
class InBlocks final : public ckpt::TensorSource {
 public:
  InBlocks() : bytes_(static_cast<size_t>(4 * row_bytes(DType::Q8_0, 64))) {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::byte>(i * 7 % 96);
    tensor_.view = {DType::Q8_0, {4, 64}, bytes_};
    convert_to_f32(DType::Q8_0, bytes_, numbers_);
  }
  const ckpt::Tensor* find(std::string_view) const override { return &tensor_; }
  std::vector<std::string> names() const override { return {"w"}; }
  void release(const TensorView&) const override {}
  void release_all() const override {}
  float at(int64_t row, int64_t column) const { return numbers_[static_cast<size_t>(row * 64 + column)]; }

 private:
  std::vector<std::byte> bytes_;
  std::vector<float> numbers_ = std::vector<float>(256);
  ckpt::Tensor tensor_;
};

TEST_F(WeightReaderTest, DequantisesBlocksThatAreCutOrTransposed) {
  const InBlocks blocks;
  const NodeId w = graph_.weight({"w"}, {4, 64});
  const lower::WeightView whole = lower::view_of(graph_, w, {});
  EXPECT_EQ(WeightReader(blocks, whole).layout().dtype, DType::Q8_0);
  const lower::WeightView across = lower::transposed(whole);
  const WeightReader transposed(blocks, across);
  EXPECT_EQ(transposed.layout().dtype, DType::F32);
  EXPECT_TRUE(transposed.layout().is_dequantized);
  const std::vector<float> columns = read_together(transposed, 48);
  for (int64_t i = 0; i < 256; ++i) EXPECT_EQ(columns[static_cast<size_t>(i)], blocks.at(i % 4, i / 4)) << i;
  const NodeId middle = graph_.add(Op::Slice, {w}, graph::SliceAttributes{1, 16, 48});
  const lower::WeightView cut = lower::view_of(graph_, middle, {&whole});
  const std::vector<float> part = read_together(WeightReader(blocks, cut), 2);
  for (int64_t i = 0; i < 128; ++i) EXPECT_EQ(part[static_cast<size_t>(i)], blocks.at(i / 32, 16 + i % 32)) << i;
}

TEST_F(WeightReaderTest, RefusesATensorSmallerThanTheView) {
  const lower::WeightView view = lower::view_of(graph_, graph_.weight({"w"}, {7, 4}), {});
  EXPECT_THROW(WeightReader(*checkpoint_, view), Error);
}

TEST_F(WeightReaderTest, NamesAMissingTensor) {
  const lower::WeightView view = lower::view_of(graph_, graph_.weight({"nothing"}, {2, 2}), {});
  EXPECT_THROW(WeightReader(*checkpoint_, view), Error);
}

}  // namespace
}  // namespace cleave::runtime
