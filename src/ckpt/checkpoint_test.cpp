#include "ckpt/checkpoint.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/testing/temporary_directory.h"
#include "ckpt/testing/bytes.h"

namespace cleave::ckpt {
namespace {

namespace fs = std::filesystem;

// One F32 tensor of four elements.
std::string one_tensor(const std::string& name) {
  return safetensors_text("{\"" + name + R"(":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 16);
}

constexpr const char* kIndex = "model.safetensors.index.json";

TEST(Checkpoint, OpensADirectoryAndIgnoresExpectedLogits) {
  const fs::path path = CLEAVE_TEST_DATA "/models/llama";
  const Checkpoint checkpoint = Checkpoint::open(path);
  EXPECT_TRUE(checkpoint.has_weights());
  EXPECT_EQ(checkpoint.config()["model_type"], "llama");
  EXPECT_EQ(checkpoint.directory(), path);
  EXPECT_EQ(checkpoint.gguf(), nullptr);
  EXPECT_EQ(checkpoint.find("logits_0"), nullptr);
  EXPECT_EQ(checkpoint.file_bytes(), static_cast<int64_t>(fs::file_size(path / "model.safetensors")));
  EXPECT_EQ(checkpoint.files(), std::vector<fs::path>{path / "model.safetensors"});
  const Tensor* embedding = checkpoint.find("model.embed_tokens.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->view.dtype, DType::BF16);
  EXPECT_EQ(embedding->view.shape, (Shape{131, 48}));
  EXPECT_NO_THROW(checkpoint.require_weights());
}

TEST(Checkpoint, OpensEveryModelOfTheTestData) {
  size_t count = 0;
  for (const char* folder : {"models", "models_v5saved"})
    for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(CLEAVE_TEST_DATA) / folder)) {
      SCOPED_TRACE(entry.path());
      const Checkpoint checkpoint = Checkpoint::open(entry.path());
      EXPECT_TRUE(checkpoint.has_weights());
      EXPECT_TRUE(checkpoint.config().contains("architectures"));
      EXPECT_GT(checkpoint.names().size(), 5u);
      ++count;
    }
  EXPECT_GE(count, 30u);
}

TEST(Checkpoint, ViewsSurviveMovingAndReleasing) {
  Checkpoint first = Checkpoint::open(CLEAVE_TEST_DATA "/models/llama");
  const TensorView view = first.find("model.embed_tokens.weight")->view;
  const std::byte before = view.bytes[view.bytes.size() / 2];
  const Checkpoint second = std::move(first);
  second.release(view);
  EXPECT_EQ(view.bytes[view.bytes.size() / 2], before);
  EXPECT_EQ(second.find("model.embed_tokens.weight")->view.bytes.data(), view.bytes.data());
}

TEST(Checkpoint, OpensABareConfigAndADirectoryWithoutWeightsForPlanning) {
  const TemporaryDirectory directory;
  const fs::path config = directory.write("config.json", R"({"model_type":"llama"})");
  directory.write("generation_config.json", R"({"eos_token_id":2})");
  const Checkpoint bare = Checkpoint::open(config);
  EXPECT_FALSE(bare.has_weights());
  EXPECT_EQ(bare.config()["model_type"], "llama");
  const Checkpoint empty = Checkpoint::open(directory.path());
  EXPECT_FALSE(empty.has_weights());
  EXPECT_TRUE(empty.names().empty());
  EXPECT_EQ(empty.generation_config()["eos_token_id"], 2);
  expect_error([&] { empty.require_weights(); }, ErrorKind::NotFound, {directory.path().string(), kIndex});
  directory.write("pytorch_model.bin", "x");
  expect_error([&] { empty.require_weights(); }, ErrorKind::NotFound, {"pytorch_model.bin"});
}

TEST(Checkpoint, RefusesWhatIsNoModel) {
  const TemporaryDirectory directory;
  expect_error([&] { Checkpoint::open(directory.path() / "nothing"); }, ErrorKind::NotFound, {"nothing", ".gguf"});
  expect_error([&] { Checkpoint::open(directory.path()); }, ErrorKind::NotFound, {"no config.json"});
  const fs::path text = directory.write("readme.txt", "hello");
  expect_error([&] { Checkpoint::open(text); }, ErrorKind::InvalidArgument, {"readme.txt", ".gguf"});
  const fs::path gguf = directory.write("m.gguf", "hello");
  expect_error([&] { Checkpoint::open(gguf); }, ErrorKind::Corrupt, {"m.gguf", "GGUF"});
  expect_error([&] { Checkpoint::open(directory.path()); }, ErrorKind::NotFound, {"no config.json", "m.gguf"});
}

TEST(Checkpoint, ReadsShardsByIndex) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("a.safetensors", one_tensor("x"));
  directory.write("b.safetensors", one_tensor("y"));
  directory.write("unlisted.safetensors", one_tensor("x"));
  directory.write(kIndex, R"({"metadata":{},"weight_map":{"x":"a.safetensors","y":"b.safetensors"}})");
  const Checkpoint checkpoint = Checkpoint::open(directory.path());
  EXPECT_EQ(checkpoint.names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(checkpoint.file_bytes(), static_cast<int64_t>(2 * one_tensor("x").size()));
}

TEST(Checkpoint, TakesWhatShardsHoldWhereTheIndexIsMistaken) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("a.safetensors", one_tensor("x"));
  directory.write("b.safetensors", one_tensor("y"));
  directory.write(kIndex, R"({"weight_map":{"gone":"a.safetensors","x":"b.safetensors","y":"b.safetensors"}})");
  const Checkpoint checkpoint = Checkpoint::open(directory.path());
  EXPECT_EQ(checkpoint.names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(checkpoint.unfound(), std::vector<std::string>{"gone"});
}

TEST(Checkpoint, TakesATensorOfTwoShardsFromTheOneThatTheIndexNames) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("a.safetensors", one_tensor("x"));
  std::string other = one_tensor("x");
  other.back() = 'b';
  directory.write("b.safetensors", other);
  directory.write(kIndex, R"({"weight_map":{"gone":"a.safetensors","x":"b.safetensors"}})");
  EXPECT_EQ(Checkpoint::open(directory.path()).find("x")->view.bytes.back(), std::byte{'b'});
  directory.write(kIndex, R"({"weight_map":{"p":"a.safetensors","q":"b.safetensors"}})");
  expect_error([&] { Checkpoint::open(directory.path()); }, ErrorKind::Corrupt, {"b.safetensors", "\"x\"", "no index"});
}

TEST(Checkpoint, KnowsTensorsOfTypesThatAreNotReadByTheirShapes) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("model.safetensors",
                  safetensors_text(R"({"x":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}})", 16));
  const Checkpoint checkpoint = Checkpoint::open(directory.path());
  EXPECT_EQ(checkpoint.find("x"), nullptr);
  EXPECT_EQ(checkpoint.table().at("x"), (TensorInfo{DType::U8, {2}, "C64"}));
}

TEST(Checkpoint, LeavesWeightsOfAnAdapterAlone) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("a.safetensors", one_tensor("x"));
  directory.write("adapter_model.safetensors", one_tensor("y"));
  EXPECT_EQ(Checkpoint::open(directory.path()).names(), std::vector<std::string>{"x"});
}

TEST(Checkpoint, RefusesABadIndex) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("a.safetensors", one_tensor("x"));
  const auto refused = [&](std::string_view index, ErrorKind kind, std::initializer_list<std::string_view> parts) {
    directory.write(kIndex, index);
    expect_error([&] { Checkpoint::open(directory.path()); }, kind, parts);
  };
  refused(R"({})", ErrorKind::Corrupt, {kIndex, "weight_map"});
  refused(R"({"weight_map":{"x":3}})", ErrorKind::Corrupt, {kIndex, "\"x\""});
  refused(R"({"weight_map":{"x":"a.safetensors","y":"b.safetensors"}})", ErrorKind::NotFound,
          {kIndex, "\"b.safetensors\"", "missing", "\"y\""});
  for (const char* path : {"../a.safetensors", "/etc/passwd", "sub/a.safetensors", "..", "", "a\\u0000b"})
    refused(std::string(R"({"weight_map":{"x":")") + path + "\"}}", ErrorKind::Corrupt,
            {kIndex, "\"x\"", "same directory"});
}

TEST(Checkpoint, TakesAllFilesTogetherWithoutAnIndex) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("a.safetensors", one_tensor("x"));
  directory.write("b.safetensors", one_tensor("y"));
  EXPECT_EQ(Checkpoint::open(directory.path()).names(), (std::vector<std::string>{"x", "y"}));
  directory.write("c.safetensors", one_tensor("x"));
  expect_error([&] { Checkpoint::open(directory.path()); }, ErrorKind::Corrupt, {"c.safetensors", "\"x\"", "no index"});
}

TEST(Checkpoint, NamesATruncatedShard) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  const std::string whole = one_tensor("x");
  directory.write("model.safetensors", whole.substr(0, whole.size() - 1));
  expect_error([&] { Checkpoint::open(directory.path()); }, ErrorKind::Corrupt,
               {"model.safetensors", "\"x\"", "byte 16", "only 15", "truncated"});
}

}  // namespace
}  // namespace cleave::ckpt
