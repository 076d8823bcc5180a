#include "ckpt/gguf/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "ckpt/gguf/architectures.h"
#include "ckpt/gguf/derived.h"
#include "ckpt/gguf/forms.h"
#include "ckpt/testing/bytes.h"

namespace cleave::ckpt {
namespace {

using ::testing::ElementsAre;

constexpr const char* kFile = "m.gguf";

// The metadata that every architecture needs: 8 wide, 2 heads, one layer.
GgufBuilder small_model(const std::string& architecture) {
  GgufBuilder builder;
  builder.key("general.architecture", architecture).u32(architecture + ".block_count", 1);
  builder.u32(architecture + ".context_length", 32).u32(architecture + ".embedding_length", 8);
  builder.u32(architecture + ".attention.head_count", 2).f32_tensor("token_embd.weight", {5, 8});
  return builder;
}

HuggingFaceView view_of(const std::string& text) {
  return to_hugging_face(parse_gguf(bytes_of(text), kFile));
}

void expect_refused(const GgufBuilder& builder, ErrorKind kind, std::initializer_list<std::string_view> parts) {
  const std::string text = builder.text();
  expect_error([&] { view_of(text); }, kind, {kFile});
  expect_error([&] { view_of(text); }, kind, parts);
}

std::vector<std::string> names(const HuggingFaceView& view) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : view.tensors) names.push_back(name);
  return names;
}

TEST(GgufNames, PutsInterleavedRowsAndBiasesOfLlamaIntoOrder) {
  GgufBuilder builder = small_model("llama");
  builder.u32("llama.attention.head_count_kv", 1);
  builder.f32_tensor("blk.0.attn_q.weight", {8, 8}).f32_tensor("blk.0.attn_q.bias", {8});
  builder.f32_tensor("blk.0.attn_k.weight", {4, 8}).f32_tensor("blk.0.attn_k.bias", {4});
  std::string text = builder.text();
  std::vector<float> counted(64 + 8 + 32 + 8);  // the numbers of q and k, their biases padded to 32 bytes
  std::iota(counted.begin(), counted.end(), 0.0f);
  std::memcpy(text.data() + text.size() - counted.size() * sizeof(float), counted.data(),
              counted.size() * sizeof(float));
  const HuggingFaceView view = view_of(text);
  const auto rows_of = [&](const std::string& name) {
    const Tensor& tensor = view.tensors.at(name);
    std::vector<float> numbers(static_cast<size_t>(num_elements(tensor.view.shape)));
    read_elements(tensor, 0, std::as_writable_bytes(std::span(numbers)));
    return numbers;
  };
  EXPECT_THAT(rows_of("model.layers.0.self_attn.q_proj.bias"), ElementsAre(64, 66, 65, 67, 68, 70, 69, 71))
      << "two heads of 4";
  EXPECT_THAT(rows_of("model.layers.0.self_attn.k_proj.bias"), ElementsAre(104, 106, 105, 107));
  const std::vector<float> q = rows_of("model.layers.0.self_attn.q_proj.weight");
  EXPECT_THAT(std::vector(q.begin(), q.begin() + 16),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
  EXPECT_EQ(rows_of("model.layers.0.self_attn.k_proj.weight")[8], 72 + 16);
  EXPECT_EQ(view.config["attention_bias"], true);
  EXPECT_EQ(view.config["tie_word_embeddings"], true);
  EXPECT_EQ(view.config["num_key_value_heads"], 1);
  EXPECT_EQ(view.config["head_dim"], 4);
  EXPECT_EQ(view.config["vocab_size"], 5);
}

TEST(GgufNames, CutsStackedExpertsIntoOneTensorEach) {
  GgufBuilder builder = small_model("llama");
  builder.u32("llama.expert_count", 3).u32("llama.expert_used_count", 2);
  builder.f32_tensor("blk.0.ffn_gate_inp.weight", {3, 8}).f32_tensor("blk.0.ffn_down_exps.weight", {3, 8, 4});
  builder.f32_tensor("blk.0.ffn_gate_exps.weight", {3, 4, 8}).f32_tensor("blk.0.ffn_up_exps.weight", {3, 4, 8});
  const std::string text = builder.text();
  const GgufContents contents = parse_gguf(bytes_of(text), kFile);
  const HuggingFaceView view = to_hugging_face(contents);
  EXPECT_EQ(view.config["architectures"], Json::array({"MixtralForCausalLM"}));
  EXPECT_EQ(view.config["num_local_experts"], 3);
  EXPECT_EQ(view.config["num_experts_per_tok"], 2);
  EXPECT_EQ(view.tensors.size(), 1u + 1 + 9);
  const TensorView& w2 = view.tensors.at("model.layers.0.block_sparse_moe.experts.2.w2.weight").view;
  EXPECT_EQ(w2.shape, (Shape{8, 4}));
  EXPECT_EQ(w2.bytes.data(),
            contents.tensors.at("blk.0.ffn_down_exps.weight").bytes.data() + 2 * 8 * 4 * sizeof(float));
  EXPECT_EQ(w2.bytes.size(), 8 * 4 * sizeof(float));
}

TEST(GgufNames, ReadsSharedExpertsOfQwen2Moe) {
  GgufBuilder builder = small_model("qwen2moe");
  builder.u32("qwen2moe.expert_count", 2).u32("qwen2moe.expert_feed_forward_length", 4);
  builder.u32("qwen2moe.expert_shared_feed_forward_length", 6);
  builder.f32_tensor("blk.0.ffn_gate_inp_shexp.weight", {8}).f32_tensor("blk.0.ffn_up_shexp.weight", {6, 8});
  builder.f32_tensor("blk.0.ffn_up_exps.weight", {2, 4, 8});
  const std::string text = builder.text();
  const HuggingFaceView view = view_of(text);
  EXPECT_EQ(view.tensors.at("model.layers.0.mlp.shared_expert_gate.weight").view.shape, (Shape{1, 8}));
  EXPECT_EQ(names(view),
            (std::vector<std::string>{"model.embed_tokens.weight", "model.layers.0.mlp.experts.0.up_proj.weight",
                                      "model.layers.0.mlp.experts.1.up_proj.weight",
                                      "model.layers.0.mlp.shared_expert.up_proj.weight",
                                      "model.layers.0.mlp.shared_expert_gate.weight"}));
  EXPECT_EQ(view.config["num_experts"], 2);
  EXPECT_FALSE(view.config.contains("num_local_experts"));
  EXPECT_EQ(view.config["moe_intermediate_size"], 4);
  EXPECT_EQ(view.config["shared_expert_intermediate_size"], 6);
  EXPECT_EQ(view.config["norm_topk_prob"], false);
}

TEST(GgufNames, SpellsKeysAsTheArchitectureDoes) {
  const std::string text = small_model("starcoder").u32("starcoder.attention.head_count_kv", 1).text();
  const HuggingFaceView view = view_of(text);
  EXPECT_EQ(view.config["n_embd"], 8);
  EXPECT_EQ(view.config["n_layer"], 1);
  EXPECT_FALSE(view.config.contains("hidden_size"));
  EXPECT_EQ(names(view), std::vector<std::string>{"transformer.wte.weight"});
}

TEST(GgufArchitectures, EveryRowHasNamesFormsAndFunctionsThatExist) {
  for (const std::string& name : gguf_architectures()) {
    for (const GgufArchitecture& row : architectures_named(name)) {
      SCOPED_TRACE(name);
      EXPECT_TRUE(row.hf_class.ends_with("ForCausalLM") || row.hf_class.ends_with("LMHeadModel")) << row.hf_class;
      EXPECT_GE(row.names.size(), 8u) << "Falcon has no gate and one norm";
      const std::vector<TensorView> stored(3, {DType::F32, {2, 2, 2}, {}});
      const ModelSizes sizes = {1, 1, {2}, {2}, 2, 1, 1, 1};
      for (const NameRule& rule : row.names)
        for (const NameRule::Target& target : rule.targets) {
          if (target.form == "split") continue;
          try {
            in_form(target.form, {stored, sizes, 0, "t", "f"});
          } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Corrupt) << error.what();
          }
        }
      const std::string text = small_model(name).text();
      const GgufContents contents = parse_gguf(bytes_of(text), kFile);
      for (const std::string_view function : row.derived) {
        Json config = {{"head_dim", 4},
                       {"num_attention_heads", 2},
                       {"hidden_size", 8},
                       {"attention_bias", false},
                       {"model_type", "m"},
                       {"attn_config", Json::object()},
                       {"n_group", 1},
                       {"intermediate_size", 8},
                       {"rope_scaling", Json::object()},
                       {"layer_types", {"full_attention"}},
                       {"rope_theta", 1}};
        try {
          derive(function, GgufKeys(contents, row), sizes, config);
        } catch (const Error& error) {
          EXPECT_NE(error.kind(), ErrorKind::Internal) << error.what();
        }
      }
    }
  }
}

TEST(GgufNames, CutsWhatAConverterHasFused) {
  GgufBuilder builder = small_model("llama").u32("llama.attention.head_count_kv", 1);
  builder.f32_tensor("blk.0.attn_qkv.weight", {16, 8});
  const std::string text = builder.text();
  const HuggingFaceView view = view_of(text);
  EXPECT_EQ(view.tensors.at("model.layers.0.self_attn.q_proj.weight").view.shape, (Shape{8, 8}));
  EXPECT_EQ(view.tensors.at("model.layers.0.self_attn.k_proj.weight").view.shape, (Shape{4, 8}));
  EXPECT_EQ(view.tensors.at("model.layers.0.self_attn.v_proj.weight").view.shape, (Shape{4, 8}));
}

TEST(GgufNames, ReadsExpertsThatOldFilesHaveOneByOne) {
  GgufBuilder builder = small_model("llama").u32("llama.expert_count", 2).u32("llama.expert_used_count", 1);
  builder.f32_tensor("blk.0.ffn_up.0.weight", {4, 8}).f32_tensor("blk.0.ffn_up.1.weight", {4, 8});
  const std::string text = builder.text();
  EXPECT_EQ(names(view_of(text)), (std::vector<std::string>{"model.embed_tokens.weight",
                                                            "model.layers.0.block_sparse_moe.experts.0.w3.weight",
                                                            "model.layers.0.block_sparse_moe.experts.1.w3.weight"}));
}

TEST(GgufNames, LeavesLayersOfMultiTokenPredictionOut) {
  GgufBuilder builder = small_model("glm4moe").u32("glm4moe.nextn_predict_layers", 1);
  const std::string none = builder.text();
  expect_error([&] { view_of(none); }, ErrorKind::Corrupt, {"nextn_predict_layers", "no layer"});
}

TEST(GgufNames, NamesFilesThatHoldNoModel) {
  const auto refused = [&](const GgufBuilder& builder, std::string_view part) {
    expect_refused(builder, ErrorKind::InvalidArgument, {part});
  };
  refused(GgufBuilder().key("general.type", "adapter").key("general.architecture", "llama"), "adapter");
  refused(GgufBuilder().key("general.type", "mmproj"), "projector");
  refused(GgufBuilder().key("general.architecture", "clip"), "projector");
  refused(GgufBuilder().key("general.architecture", "bert"), "encoder");
  refused(GgufBuilder().key("general.type", "vocab"), "vocabulary");
}

TEST(GgufNames, TurnsASlidingWindowOfLlamaIntoMistral) {
  const std::string text = small_model("llama").u32("llama.attention.sliding_window", 16).text();
  EXPECT_EQ(view_of(text).config["model_type"], "mistral");
  EXPECT_EQ(view_of(text).config["sliding_window"], 16);
  const std::string none = small_model("llama").u32("llama.attention.sliding_window", 0).text();
  EXPECT_EQ(view_of(none).config["model_type"], "llama");
  EXPECT_FALSE(view_of(none).config.contains("sliding_window"));
}

TEST(GgufNames, ReadsRopeScaling) {
  GgufBuilder builder = small_model("qwen2");
  builder.key("qwen2.rope.scaling.type", "yarn")
      .f32("qwen2.rope.scaling.factor", 4)
      .u32("qwen2.rope.dimension_count", 2);
  builder.u32("qwen2.rope.scaling.original_context_length", 16).f32("qwen2.rope.scaling.yarn_beta_fast", 24);
  const std::string text = builder.text();
  const HuggingFaceView view = view_of(text);
  EXPECT_EQ(
      view.config["rope_scaling"],
      (Json{{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 16}, {"beta_fast", 24.0}}));
  EXPECT_EQ(view.config["partial_rotary_factor"], 0.5);
}

TEST(GgufNames, ReadsAFactorWithoutATypeAsLinear) {
  const std::string factor = small_model("llama").f32("llama.rope.scaling.factor", 4).text();
  EXPECT_EQ(view_of(factor).config["rope_scaling"], (Json{{"rope_type", "linear"}, {"factor", 4.0}}));
  const std::string old_key = small_model("llama").f32("llama.rope.scale_linear", 2).text();
  EXPECT_EQ(view_of(old_key).config["rope_scaling"], (Json{{"rope_type", "linear"}, {"factor", 2.0}}));
  const std::string zero = small_model("llama").f32("llama.rope.scaling.factor", 0).text();
  EXPECT_FALSE(view_of(zero).config.contains("rope_scaling"));
  GgufBuilder yarn = small_model("llama").key("llama.rope.scaling.type", "yarn").f32("llama.rope.scaling.factor", 4);
  const std::string text = yarn.f32("llama.rope.scaling.yarn_attn_factor", 1.25f).text();
  EXPECT_EQ(view_of(text).config["rope_scaling"]["attention_factor"], 1.25);
}

TEST(GgufNames, ReadsRopeFactorsAsLongrope) {
  GgufBuilder builder = small_model("llama").f32_tensor("rope_freqs.weight", {2});
  std::string text = builder.text();
  const float factors[2] = {1, 8};
  std::memcpy(text.data() + text.size() - 32, factors, sizeof(factors));
  const HuggingFaceView view = view_of(text);
  EXPECT_EQ(view.config["rope_scaling"], (Json{{"rope_type", "longrope"},
                                               {"long_factor", {1.0, 8.0}},
                                               {"short_factor", {1.0, 8.0}},
                                               {"attention_factor", 1.0},
                                               {"original_max_position_embeddings", 32}}));
  EXPECT_EQ(view.tensors.size(), 1u);
  expect_refused(builder, ErrorKind::Corrupt, {"rope_freqs.weight", "holds 0", "positive"});
  expect_refused(small_model("llama").f32_tensor("rope_freqs.weight", {3}), ErrorKind::Corrupt,
                 {"rope_freqs.weight", "[3]", "expected F32 [2]"});
}

TEST(GgufNames, CollectsEndsOfText) {
  GgufBuilder builder = small_model("llama");
  builder.u32("tokenizer.ggml.bos_token_id", 1)
      .u32("tokenizer.ggml.eos_token_id", 2)
      .u32("tokenizer.ggml.eot_token_id", 4);
  const std::string text = builder.text();
  const HuggingFaceView view = view_of(text);
  EXPECT_EQ(view.generation_config, (Json{{"bos_token_id", 1}, {"eos_token_id", {2, 4}}}));
  EXPECT_EQ(view.config["bos_token_id"], 1);
}

TEST(GgufNames, RefusesArchitecturesWithTheReason) {
  expect_refused(GgufBuilder().key("k", "v"), ErrorKind::Corrupt, {"general.architecture", "missing"});
  expect_refused(GgufBuilder().key("general.architecture", "mamba7"), ErrorKind::Unsupported,
                 {"\"mamba7\"", "llama", "qwen2moe"});
}

TEST(GgufNames, RefusesWhatTheTableDoesNotHave) {
  expect_refused(small_model("llama").f32_tensor("blk.0.attn_sub_norm.weight", {8}), ErrorKind::Unsupported,
                 {"blk.0.attn_sub_norm.weight", "llama"});
  expect_refused(small_model("llama").f32_tensor("blk.00.attn_q.weight", {8, 8}), ErrorKind::Unsupported,
                 {"blk.00.attn_q.weight"});
  expect_refused(small_model("llama").f32_tensor("blk.1.attn_q.weight", {8, 8}), ErrorKind::Corrupt,
                 {"blk.1.attn_q.weight", "1 layers"});
  expect_refused(small_model("llama").u32("llama.attention.value_length", 6), ErrorKind::Unsupported, {"6", "4"});
  expect_refused(small_model("llama").u32("llama.rope.dimension_count", 2), ErrorKind::Unsupported,
                 {"rope.dimension_count", "2", "4"});
  expect_refused(small_model("qwen2").key("qwen2.rope.scaling.type", "odd"), ErrorKind::Unsupported, {"\"odd\""});
}

TEST(GgufNames, RefusesMetadataThatContradictsTheTensors) {
  expect_refused(small_model("llama").f32_tensor("blk.0.attn_q.weight", {6, 8}), ErrorKind::Corrupt,
                 {"blk.0.attn_q.weight", "6 rows", "2 heads"});
  GgufBuilder experts = small_model("llama").u32("llama.expert_count", 4);
  expect_refused(experts.f32_tensor("blk.0.ffn_up_exps.weight", {3, 4, 8}), ErrorKind::Corrupt,
                 {"blk.0.ffn_up_exps.weight", "[3, 4, 8]", "4 experts"});
  GgufBuilder tiny = small_model("llama").u32("llama.expert_count", 4);
  expect_refused(tiny.f32_tensor("blk.0.ffn_up_exps.weight", {4, 1, 15}), ErrorKind::Corrupt,
                 {"blk.0.ffn_up_exps.weight", "60 bytes per expert", "64"});
  GgufBuilder bare;
  bare.key("general.architecture", "llama").u32("llama.block_count", 1).u32("llama.context_length", 8);
  expect_refused(bare, ErrorKind::Corrupt, {"llama.embedding_length", "missing"});
  bare.u32("llama.embedding_length", 9).u32("llama.attention.head_count", 2);
  expect_refused(bare, ErrorKind::Corrupt, {"llama.embedding_length", "9", "2 heads"});
  bare.u32("llama.attention.key_length", 4);
  expect_refused(bare, ErrorKind::Corrupt, {"token_embd.weight"});
  expect_refused(bare.f32_tensor("token_embd.weight", {5, 8}), ErrorKind::Corrupt,
                 {"token_embd.weight", "[5, 8]", "9"});
}

}  // namespace
}  // namespace cleave::ckpt
