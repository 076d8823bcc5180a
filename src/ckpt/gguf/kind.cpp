#include "ckpt/gguf/kind.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"

namespace cleave::ckpt {
namespace {

struct Kind {
  std::string_view word;  // general.type or general.architecture
  std::string_view what;  // the file holds, and what to do
};

// Values of general.type beside "model" (gguf-py/gguf/constants.py of llama.cpp).
constexpr std::array kTypes = {
    Kind{"adapter", "an adapter (LoRA), which changes a model and is none; merge it into its model first"},
    Kind{"mmproj", "a projector for images or sound (mmproj); give the file of the language model beside it"},
    Kind{"imatrix", "an importance matrix for quantising; give the file of the model"},
    Kind{"cvector", "a control vector, which changes a model and is none; give the file of the model"},
    Kind{"vocab", "a vocabulary without a model; give the file of the model"},
};

constexpr std::string_view kEncoder =
    "an encoder, which makes vectors of texts and writes none; give a model that generates text";
constexpr std::string_view kImages = "a model of images, sound or video; give a language model";

// Values of general.architecture that are no decoders of text.
constexpr std::array kArchitectures = {
    Kind{"clip", kTypes[1].what},
    Kind{"mmproj", kTypes[1].what},
    Kind{"imatrix", kTypes[2].what},
    Kind{"controlvector", kTypes[3].what},
    Kind{"bert", kEncoder},
    Kind{"nomic-bert", kEncoder},
    Kind{"nomic-bert-moe", kEncoder},
    Kind{"neo-bert", kEncoder},
    Kind{"jina-bert-v2", kEncoder},
    Kind{"jina-bert-v3", kEncoder},
    Kind{"modern-bert", kEncoder},
    Kind{"eurobert", kEncoder},
    Kind{"gemma-embedding", kEncoder},
    Kind{"llama-embed", kEncoder},
    Kind{"t5encoder", kEncoder},
    Kind{"wavtokenizer-dec", kImages},
    Kind{"sd1", kImages},
    Kind{"sd3", kImages},
    Kind{"sdxl", kImages},
    Kind{"flux", kImages},
    Kind{"aura", kImages},
    Kind{"hidream", kImages},
    Kind{"cosmos", kImages},
    Kind{"ltxv", kImages},
    Kind{"hyvid", kImages},
    Kind{"wan", kImages},
    Kind{"lumina2", kImages},
    Kind{"qwen_image", kImages},
    Kind{"whisper", kImages},
};

template <size_t N>
void refuse(const GgufContents& contents, const std::array<Kind, N>& kinds, std::string_view word) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.word == word; });
  if (found != kinds.end()) fail(ErrorKind::InvalidArgument, "{}: this is {}", contents.metadata.file(), found->what);
}

}  // namespace

void check_is_model(const GgufContents& contents) {
  const GgufMetadata& metadata = contents.metadata;
  refuse(contents, kTypes, metadata.string("general.type").value_or(""));
  const std::string_view architecture = metadata.string("general.architecture").value_or("");
  refuse(contents, kArchitectures, architecture);
  // Older files of these kinds have no general.type.
  if (metadata.contains("adapter.type")) refuse(contents, kTypes, "adapter");
  if (contents.tensors.empty() && metadata.contains("tokenizer.ggml.tokens")) refuse(contents, kTypes, "vocab");
  if (metadata.boolean(std::string(architecture) + ".attention.causal") == false)
    fail(ErrorKind::InvalidArgument, "{}: this is {}", metadata.file(), kEncoder);
}

}  // namespace cleave::ckpt
