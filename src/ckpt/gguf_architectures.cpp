#include "ckpt/gguf_architectures.h"

#include <array>

// Sources: gguf-py/gguf/tensor_mapping.py and the conversion scripts of llama.cpp, which say what is renamed, what is
// permuted and what is left out of the metadata; Hugging Face's modelling files for the other side.
namespace cleave::ckpt {
namespace {

constexpr std::array kLlamaModel = {
    NameRule{"token_embd", "model.embed_tokens"},
    NameRule{"output_norm", "model.norm"},
    NameRule{"output", "lm_head"},
};

constexpr std::array kLlamaLayer = {
    NameRule{"attn_norm", "model.layers.{}.input_layernorm"},
    NameRule{"attn_q", "model.layers.{}.self_attn.q_proj", Role::InterleavedQ},
    NameRule{"attn_k", "model.layers.{}.self_attn.k_proj", Role::InterleavedK},
    NameRule{"attn_v", "model.layers.{}.self_attn.v_proj"},
    NameRule{"attn_output", "model.layers.{}.self_attn.o_proj"},
    NameRule{"ffn_norm", "model.layers.{}.post_attention_layernorm"},
    NameRule{"ffn_gate", "model.layers.{}.mlp.gate_proj"},
    NameRule{"ffn_up", "model.layers.{}.mlp.up_proj"},
    NameRule{"ffn_down", "model.layers.{}.mlp.down_proj"},
};

constexpr std::array kMixtralLayer = {
    NameRule{"attn_norm", "model.layers.{}.input_layernorm"},
    NameRule{"attn_q", "model.layers.{}.self_attn.q_proj", Role::InterleavedQ},
    NameRule{"attn_k", "model.layers.{}.self_attn.k_proj", Role::InterleavedK},
    NameRule{"attn_v", "model.layers.{}.self_attn.v_proj"},
    NameRule{"attn_output", "model.layers.{}.self_attn.o_proj"},
    NameRule{"ffn_norm", "model.layers.{}.post_attention_layernorm"},
    NameRule{"ffn_gate_inp", "model.layers.{}.block_sparse_moe.gate"},
    NameRule{"ffn_gate_exps", "model.layers.{}.block_sparse_moe.experts.{}.w1", Role::Experts},
    NameRule{"ffn_down_exps", "model.layers.{}.block_sparse_moe.experts.{}.w2", Role::Experts},
    NameRule{"ffn_up_exps", "model.layers.{}.block_sparse_moe.experts.{}.w3", Role::Experts},
};

// Qwen 2, 2-MoE, 3 and 3-MoE; each has some of these.
constexpr std::array kQwenLayer = {
    NameRule{"attn_norm", "model.layers.{}.input_layernorm"},
    NameRule{"attn_q", "model.layers.{}.self_attn.q_proj"},
    NameRule{"attn_k", "model.layers.{}.self_attn.k_proj"},
    NameRule{"attn_v", "model.layers.{}.self_attn.v_proj"},
    NameRule{"attn_output", "model.layers.{}.self_attn.o_proj"},
    NameRule{"attn_q_norm", "model.layers.{}.self_attn.q_norm"},
    NameRule{"attn_k_norm", "model.layers.{}.self_attn.k_norm"},
    NameRule{"ffn_norm", "model.layers.{}.post_attention_layernorm"},
    NameRule{"ffn_gate", "model.layers.{}.mlp.gate_proj"},
    NameRule{"ffn_up", "model.layers.{}.mlp.up_proj"},
    NameRule{"ffn_down", "model.layers.{}.mlp.down_proj"},
    NameRule{"ffn_gate_inp", "model.layers.{}.mlp.gate"},
    NameRule{"ffn_gate_exps", "model.layers.{}.mlp.experts.{}.gate_proj", Role::Experts},
    NameRule{"ffn_up_exps", "model.layers.{}.mlp.experts.{}.up_proj", Role::Experts},
    NameRule{"ffn_down_exps", "model.layers.{}.mlp.experts.{}.down_proj", Role::Experts},
    NameRule{"ffn_gate_inp_shexp", "model.layers.{}.mlp.shared_expert_gate", Role::Row},
    NameRule{"ffn_gate_shexp", "model.layers.{}.mlp.shared_expert.gate_proj"},
    NameRule{"ffn_up_shexp", "model.layers.{}.mlp.shared_expert.up_proj"},
    NameRule{"ffn_down_shexp", "model.layers.{}.mlp.shared_expert.down_proj"},
};
constexpr std::array kQwenMoeRenames = {KeyRename{"num_local_experts", "num_experts"}};

constexpr std::array kPhi2Model = {
    NameRule{"token_embd", "model.embed_tokens"},
    NameRule{"output_norm", "model.final_layernorm"},
    NameRule{"output", "lm_head"},
};
constexpr std::array kPhi2Layer = {
    NameRule{"attn_norm", "model.layers.{}.input_layernorm"},
    NameRule{"attn_q", "model.layers.{}.self_attn.q_proj"},
    NameRule{"attn_k", "model.layers.{}.self_attn.k_proj"},
    NameRule{"attn_v", "model.layers.{}.self_attn.v_proj"},
    NameRule{"attn_output", "model.layers.{}.self_attn.dense"},
    NameRule{"ffn_up", "model.layers.{}.mlp.fc1"},
    NameRule{"ffn_down", "model.layers.{}.mlp.fc2"},
};

constexpr std::array kPhi3Layer = {
    NameRule{"attn_norm", "model.layers.{}.input_layernorm"},
    NameRule{"attn_qkv", "model.layers.{}.self_attn.qkv_proj"},
    NameRule{"attn_output", "model.layers.{}.self_attn.o_proj"},
    NameRule{"ffn_norm", "model.layers.{}.post_attention_layernorm"},
    NameRule{"ffn_up", "model.layers.{}.mlp.gate_up_proj"},
    NameRule{"ffn_down", "model.layers.{}.mlp.down_proj"},
};

constexpr std::array kStarcoder2Layer = {
    NameRule{"attn_norm", "model.layers.{}.input_layernorm"},
    NameRule{"attn_q", "model.layers.{}.self_attn.q_proj"},
    NameRule{"attn_k", "model.layers.{}.self_attn.k_proj"},
    NameRule{"attn_v", "model.layers.{}.self_attn.v_proj"},
    NameRule{"attn_output", "model.layers.{}.self_attn.o_proj"},
    NameRule{"ffn_norm", "model.layers.{}.post_attention_layernorm"},
    NameRule{"ffn_up", "model.layers.{}.mlp.c_fc"},
    NameRule{"ffn_down", "model.layers.{}.mlp.c_proj"},
};
constexpr std::array kStarcoder2Renames = {
    KeyRename{"layer_norm_eps", "norm_epsilon"},
    KeyRename{"attention_bias", "use_bias"},
};

// StarCoder (GPT-BigCode): GPT-2's names, but linears where GPT-2 has transposed ones.
constexpr std::array kStarcoderModel = {
    NameRule{"token_embd", "transformer.wte"},
    NameRule{"position_embd", "transformer.wpe"},
    NameRule{"output_norm", "transformer.ln_f"},
    NameRule{"output", "lm_head"},
};
constexpr std::array kStarcoderLayer = {
    NameRule{"attn_norm", "transformer.h.{}.ln_1"},          NameRule{"attn_qkv", "transformer.h.{}.attn.c_attn"},
    NameRule{"attn_output", "transformer.h.{}.attn.c_proj"}, NameRule{"ffn_norm", "transformer.h.{}.ln_2"},
    NameRule{"ffn_up", "transformer.h.{}.mlp.c_fc"},         NameRule{"ffn_down", "transformer.h.{}.mlp.c_proj"},
};
constexpr std::array kStarcoderRenames = {
    KeyRename{"hidden_size", "n_embd"},         KeyRename{"num_hidden_layers", "n_layer"},
    KeyRename{"num_attention_heads", "n_head"}, KeyRename{"max_position_embeddings", "n_positions"},
    KeyRename{"intermediate_size", "n_inner"},  KeyRename{"layer_norm_eps", "layer_norm_epsilon"},
};

// Falcon-7B, whose single KV head leaves the fused rows in Hugging Face's order.
constexpr std::array kFalconModel = {
    NameRule{"token_embd", "transformer.word_embeddings"},
    NameRule{"output_norm", "transformer.ln_f"},
    NameRule{"output", "lm_head"},
};
constexpr std::array kFalconLayer = {
    NameRule{"attn_norm", "transformer.h.{}.input_layernorm"},
    NameRule{"attn_qkv", "transformer.h.{}.self_attention.query_key_value"},
    NameRule{"attn_output", "transformer.h.{}.self_attention.dense"},
    NameRule{"ffn_up", "transformer.h.{}.mlp.dense_h_to_4h"},
    NameRule{"ffn_down", "transformer.h.{}.mlp.dense_4h_to_h"},
};
constexpr std::array kFalconRenames = {
    KeyRename{"num_key_value_heads", "num_kv_heads"},
    KeyRename{"intermediate_size", "ffn_hidden_size"},
    KeyRename{"layer_norm_eps", "layer_norm_epsilon"},
};

constexpr std::string_view kSilu = R"({"hidden_act": "silu"})";

constexpr std::array kArchitectures = {
    GgufArchitecture{"llama", false, "LlamaForCausalLM", "llama", kLlamaLayer, kLlamaModel, {}, kSilu},
    GgufArchitecture{"llama", true, "MixtralForCausalLM", "mixtral", kMixtralLayer, kLlamaModel, {}, kSilu},
    // Its fused rows are stored apart, as llama's, and so is its mathematics.
    GgufArchitecture{"internlm2", false, "LlamaForCausalLM", "llama", kLlamaLayer, kLlamaModel, {}, kSilu},
    GgufArchitecture{"qwen2", false, "Qwen2ForCausalLM", "qwen2", kQwenLayer, kLlamaModel, {}, kSilu},
    GgufArchitecture{"qwen3", false, "Qwen3ForCausalLM", "qwen3", kQwenLayer, kLlamaModel, {}, kSilu},
    GgufArchitecture{
        "qwen2moe", true, "Qwen2MoeForCausalLM", "qwen2_moe", kQwenLayer, kLlamaModel, kQwenMoeRenames,
        R"({"hidden_act": "silu", "norm_topk_prob": false, "decoder_sparse_step": 1, "mlp_only_layers": []})"},
    GgufArchitecture{
        "qwen3moe", true, "Qwen3MoeForCausalLM", "qwen3_moe", kQwenLayer, kLlamaModel, kQwenMoeRenames,
        R"({"hidden_act": "silu", "norm_topk_prob": true, "decoder_sparse_step": 1, "mlp_only_layers": []})"},
    GgufArchitecture{"phi2",
                     false,
                     "PhiForCausalLM",
                     "phi",
                     kPhi2Layer,
                     kPhi2Model,
                     {},
                     R"({"hidden_act": "gelu_new", "qk_layernorm": false})"},
    GgufArchitecture{"phi3", false, "Phi3ForCausalLM", "phi3", kPhi3Layer, kLlamaModel, {}, kSilu},
    GgufArchitecture{"starcoder", false, "GPTBigCodeForCausalLM", "gpt_bigcode", kStarcoderLayer, kStarcoderModel,
                     kStarcoderRenames, R"({"activation_function": "gelu_pytorch_tanh", "multi_query": true})"},
    GgufArchitecture{"starcoder2", false, "Starcoder2ForCausalLM", "starcoder2", kStarcoder2Layer, kLlamaModel,
                     kStarcoder2Renames, R"({"hidden_act": "gelu_pytorch_tanh"})"},
    GgufArchitecture{
        "falcon", false, "FalconForCausalLM", "falcon", kFalconLayer, kFalconModel, kFalconRenames,
        R"({"activation": "gelu", "alibi": false, "bias": false, "multi_query": true, "parallel_attn": true,
                         "new_decoder_architecture": false})"},
};

constexpr std::string_view kReordered =
    "its fused query, key and value rows are stored in another order than Hugging Face's";
constexpr std::string_view kShifted = "its norm weights are stored with 1 added";
constexpr std::array kRefused = {
    RefusedArchitecture{"bloom", kReordered},
    RefusedArchitecture{"gemma", kShifted},
    RefusedArchitecture{"gemma2", kShifted},
    RefusedArchitecture{"gemma3", kShifted},
    RefusedArchitecture{"gpt2", "its linear weights are stored transposed"},
    RefusedArchitecture{"gptneox", kReordered},
};

}  // namespace

std::span<const GgufArchitecture> known_architectures() {
  return kArchitectures;
}
std::span<const RefusedArchitecture> refused_architectures() {
  return kRefused;
}

}  // namespace cleave::ckpt
