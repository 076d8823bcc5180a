#include "ckpt/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>

#include "base/testing/temporary_directory.h"
#include "ckpt/testing/bytes.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

/// A file of f32 tensors.
class SafetensorsText {
 public:
  SafetensorsText& add(const std::string& name, const Shape& shape, const std::vector<float>& values) {
    const size_t begin = data_.text().size();
    for (const float value : values) data_.number(value);
    header_[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data_.text().size()}}};
    return *this;
  }
  std::string text() const { return ByteWriter().string(header_.dump()).raw(data_.text()).text(); }

 private:
  Json header_ = Json::object();
  ByteWriter data_;
};

constexpr const char* kConfig = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 4, "target_modules": ["q_proj"]})";

// A model of one matrix [2, 3], and its adapter.
class AdapterTest : public testing::Test {
 protected:
  AdapterTest() { add("model.layers.0.q_proj.weight", {2, 3}, {1, 2, 3, 4, 5, 6}); }

  void add(const std::string& name, const Shape& shape, std::vector<float> values) {
    base_.push_back(std::move(values));
    tensors_[name] = Tensor{{DType::F32, shape, std::as_bytes(std::span(base_.back()))}};
  }
  std::string apply(const std::string& config, const SafetensorsText& file) {
    directory_.write("adapter_config.json", config);
    directory_.write("adapter_model.safetensors", file.text());
    return apply_adapter(directory_.path(), tensors_, files_);
  }
  static SafetensorsText lora(const std::string& module = "model.layers.0.q_proj") {
    return SafetensorsText()
        .add("base_model.model." + module + ".lora_A.weight", {1, 3}, {1, 0, -1})
        .add("base_model.model." + module + ".lora_B.weight", {2, 1}, {2, 3});
  }
  std::vector<float> numbers(const std::string& name = "model.layers.0.q_proj.weight") const {
    const Tensor& tensor = tensors_.at(name);
    std::vector<float> values(static_cast<size_t>(num_elements(tensor.view.shape)));
    std::vector<std::byte> bytes(static_cast<size_t>(row_bytes(tensor.dtype(), std::ssize(values))));
    read_elements(tensor, 0, bytes);
    convert_to_f32(tensor.dtype(), bytes, values);
    return values;
  }

  const TemporaryDirectory directory_;
  std::list<std::vector<float>> base_;
  NamedTensors tensors_;
  std::vector<MappedFile> files_;
};

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(AdapterTest, IsNoneWhereThereIsNoConfiguration) {
  EXPECT_EQ(apply_adapter(directory_.path(), tensors_, files_), "");
}

TEST_F(AdapterTest, AddsTheProductTimesAlphaOverTheWidth) {
  EXPECT_THAT(apply(kConfig, lora()), HasSubstr("1 weights changed, 0 replaced"));
  EXPECT_THAT(numbers(), ElementsAre(9, 2, -5, 16, 5, -6));
}

TEST_F(AdapterTest, ReadsPartsOfRows) {
  apply(kConfig, lora());
  float part[2];
  read_elements(tensors_.at("model.layers.0.q_proj.weight"), 4, std::as_writable_bytes(std::span(part)));
  EXPECT_THAT(part, ElementsAre(5, -6));
}

TEST_F(AdapterTest, TakesAlphaOfTheModulesOwnPatternAndTheRootOfTheWidth) {
  apply(R"({"peft_type": "LORA", "alpha_pattern": {"0.q_proj": 1, "v_proj": 9}, "rank_pattern": {"q_proj": 1}})",
        lora());
  EXPECT_THAT(numbers(), ElementsAre(3, 2, 1, 7, 5, 3));
  SafetensorsText wide;
  wide.add("layers.0.q_proj.lora_A.weight", {4, 3}, std::vector<float>(12, 1))
      .add("layers.0.q_proj.lora_B.weight", {2, 4}, std::vector<float>(8, 1));
  apply(R"({"peft_type": "LORA", "lora_alpha": 6, "use_rslora": true})", wide);
  EXPECT_THAT(numbers(), ElementsAre(15, 14, 13, 19, 17, 15)) << "4 ones times 6 / 2, and a shorter name";
}

TEST_F(AdapterTest, TurnsTheProductOfTransposedWeightsAndEmbeddings) {
  add("model.embed_tokens.weight", {2, 3}, {0, 0, 0, 0, 0, 0});
  SafetensorsText file;
  file.add("base_model.model.model.embed_tokens.lora_embedding_A", {1, 2}, {2, 3})
      .add("base_model.model.model.embed_tokens.lora_embedding_B", {3, 1}, {1, 0, -1});
  apply(R"({"peft_type": "LORA", "lora_alpha": 1})", file);
  EXPECT_THAT(numbers("model.embed_tokens.weight"), ElementsAre(2, 0, -2, 3, 0, -3));
  file = SafetensorsText();
  file.add("base_model.model.model.layers.0.q_proj.lora_A.weight", {1, 2}, {2, 3})
      .add("base_model.model.model.layers.0.q_proj.lora_B.weight", {3, 1}, {1, 0, -1});
  apply(R"({"peft_type": "LORA", "lora_alpha": 1, "fan_in_fan_out": true})", file);
  EXPECT_THAT(numbers(), ElementsAre(3, 2, 1, 7, 5, 3));
}

TEST_F(AdapterTest, PutsWholeTensorsInThePlaceOfTheModels) {
  SafetensorsText file;
  file.add("base_model.model.model.layers.0.q_proj.modules_to_save.weight", {2, 3}, {6, 5, 4, 3, 2, 1})
      .add("base_model.model.lm_head.weight", {1, 2}, {7, 8});
  EXPECT_THAT(apply(kConfig, file), HasSubstr("0 weights changed, 2 replaced"));
  EXPECT_THAT(numbers(), ElementsAre(6, 5, 4, 3, 2, 1));
  EXPECT_THAT(numbers("lm_head.weight"), ElementsAre(7, 8)) << "a head of its own";
}

TEST_F(AdapterTest, RefusesByNameWhatItDoesNotApply) {
  const auto refused = [&](const std::string& config, const SafetensorsText& file, ErrorKind kind,
                           std::initializer_list<std::string_view> parts) {
    expect_error([&] { apply(config, file); }, kind, parts);
    EXPECT_THAT(numbers(), ElementsAre(1, 2, 3, 4, 5, 6));
  };
  for (const char* key : {"use_dora", "lora_bias", "use_qalora"})
    refused(std::string(R"({"peft_type": "LORA", ")") + key + R"(": true})", lora(), ErrorKind::Unsupported, {key});
  refused(R"({"peft_type": "LOHA"})", lora(), ErrorKind::Unsupported, {"LOHA", "merge"});
  refused("{}", lora(), ErrorKind::Unsupported, {"peft_type"});
  refused(R"({"peft_type": "LORA", "init_lora_weights": "pissa"})", lora(), ErrorKind::Unsupported, {"pissa"});
  refused(R"({"peft_type": "LORA", "alpha_pattern": {"q.*": 1}})", lora(), ErrorKind::Unsupported, {"q.*"});
  refused(R"({"peft_type": "LORA", "lora_alpha": "4"})", lora(), ErrorKind::Corrupt, {"lora_alpha", "a number"});
  refused(kConfig, lora().add("base_model.model.model.layers.0.q_proj.lora_magnitude_vector", {2}, {1, 1}),
          ErrorKind::Unsupported, {"lora_magnitude_vector"});
  refused(kConfig, lora("model.layers.0.k_proj"), ErrorKind::NotFound, {"k_proj.weight", "does not have"});
  refused(kConfig, lora("layers.0.q_proj.inner"), ErrorKind::NotFound, {"inner.weight"});
  refused(kConfig, SafetensorsText().add("model.layers.0.q_proj.lora_A.weight", {1, 3}, {1, 1, 1}), ErrorKind::Corrupt,
          {"only one of the matrices"});
  refused(kConfig,
          SafetensorsText()
              .add("model.layers.0.q_proj.lora_A.weight", {1, 2}, {1, 1})
              .add("model.layers.0.q_proj.lora_B.weight", {2, 1}, {1, 1}),
          ErrorKind::Corrupt, {"[1, 2]", "do not fit", "[2, 3]"});
}

}  // namespace
}  // namespace cleave::ckpt
