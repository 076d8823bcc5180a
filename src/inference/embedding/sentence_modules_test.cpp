#include "inference/embedding/sentence_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/testing/error_of.h"
#include "base/testing/temporary_directory.h"

namespace cleave::inference {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;

constexpr const char* kModules = R"([
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
  {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}])";

std::string safetensors(const std::string& header, const std::vector<float>& numbers) {
  std::string text(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(text.data(), &length, sizeof(length));
  text += header;
  text.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  return text;
}

class Modules : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"1_Pooling", "2_Dense"}) std::filesystem::create_directory(folder_.path() / name);
    folder_.write("modules.json", kModules);
    folder_.write("1_Pooling/config.json", R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false,
      "include_prompt": false})");
    folder_.write("2_Dense/config.json", R"({"in_features": 2, "out_features": 3, "bias": true,
      "activation_function": "torch.nn.modules.linear.Identity"})");
    folder_.write("2_Dense/model.safetensors",
                  safetensors(R"({"linear.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]},)"
                              R"("linear.bias":{"dtype":"F32","shape":[3],"data_offsets":[24,36]}})",
                              {1, 0, 0, 1, 1, 1, 0, 0, 4}));
    folder_.write("sentence_bert_config.json", R"({"max_seq_length": 77, "do_lower_case": true})");
    folder_.write("config_sentence_transformers.json",
                  R"({"prompts": {"query": "q: ", "document": ""}, "default_prompt_name": "query"})");
  }

  SentenceModules read() const { return read_sentence_modules(folder_.path()); }

  TemporaryDirectory folder_;
};

TEST_F(Modules, AreReadFromTheFilesBesideAModel) {
  const SentenceModules modules = read();
  EXPECT_EQ(modules.transformer, folder_.path() / "");
  EXPECT_THAT(modules.pooling, ElementsAre(PoolingMode::Cls));
  EXPECT_FALSE(modules.pools_prompt);
  EXPECT_EQ(modules.max_length, 77);
  EXPECT_TRUE(modules.lower_case);
  EXPECT_EQ(modules.prompts.at("query"), "q: ");
  EXPECT_EQ(modules.default_prompt, "query");
  EXPECT_TRUE(modules.normalizes());
  EXPECT_EQ(modules.output_width(2), 3);
}

TEST_F(Modules, TurnAVectorIntoAnother) {
  const float length = std::sqrt(9.0f + 16.0f + 121.0f);
  EXPECT_THAT(apply_layers(read(), {3, 4}),
              ElementsAre(FloatNear(3 / length, 1e-6f), FloatNear(4 / length, 1e-6f), FloatNear(11 / length, 1e-6f)));
  EXPECT_THAT(error_of(ErrorKind::Corrupt, [&] { apply_layers(read(), {1, 2, 3}); }), HasSubstr("takes 2 numbers"));
}

TEST_F(Modules, AreTheMeanOfTokensWhereNothingIsSaid) {
  const TemporaryDirectory empty;
  const SentenceModules modules = read_sentence_modules(empty.path());
  EXPECT_FALSE(has_sentence_modules(empty.path()));
  EXPECT_THAT(modules.pooling, ElementsAre(PoolingMode::Mean));
  EXPECT_EQ(modules.max_length, std::nullopt);
  EXPECT_FALSE(modules.normalizes());
}

TEST_F(Modules, ModesCanHaveNames) {
  folder_.write("1_Pooling/config.json", R"({"pooling_mode": "lasttoken"})");
  EXPECT_THAT(read().pooling, ElementsAre(PoolingMode::Last));
  folder_.write("1_Pooling/config.json", R"({"pooling_mode": ["mean", "cls"]})");
  EXPECT_THAT(read().pooling, ElementsAre(PoolingMode::Cls, PoolingMode::Mean));
  folder_.write("1_Pooling/config.json", R"({"pooling_mode": "middle"})");
  EXPECT_THAT(error_of(ErrorKind::Corrupt, [&] { read(); }), HasSubstr("pooling_mode"));
}

TEST_F(Modules, ThatAreNotKnownAreRefused) {
  folder_.write("modules.json", R"([{"idx": 0, "path": "", "type": "sentence_transformers.models.CNN"}])");
  EXPECT_THAT(error_of(ErrorKind::Unsupported, [&] { read(); }), HasSubstr("models.CNN"));
  folder_.write("modules.json", R"([{"idx": 0, "path": "../x", "type": "sentence_transformers.models.Pooling"}])");
  EXPECT_THAT(error_of(ErrorKind::Corrupt, [&] { read(); }), HasSubstr("beside modules.json"));
  folder_.write("modules.json", R"({})");
  EXPECT_THROW(read(), Error);
}

TEST_F(Modules, OfADenseLayerMustFitItsShapes) {
  folder_.write("2_Dense/config.json", R"({"in_features": 3, "out_features": 3, "bias": true})");
  EXPECT_THAT(error_of(ErrorKind::Corrupt, [&] { read(); }),
              HasSubstr("wanted floating-point numbers of shape [3, 3]"));
  folder_.write("2_Dense/config.json", R"({"in_features": 2, "out_features": 3, "activation_function": "x.Swish"})");
  EXPECT_THAT(error_of(ErrorKind::Unsupported, [&] { read(); }), HasSubstr("Swish"));
}

}  // namespace
}  // namespace cleave::inference
