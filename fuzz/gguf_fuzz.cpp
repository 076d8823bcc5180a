#include "ckpt/gguf/gguf.h"
#include "ckpt/gguf/names.h"
#include "fuzz_target.h"

// Parses, views as Hugging Face would, and touches every byte that a view or an array claims.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, [](std::span<const std::byte> bytes) {
    const cleave::ckpt::GgufContents contents = cleave::ckpt::parse_gguf(bytes, "input.gguf");
    unsigned sum = 0;
    for (const auto& [key, value] : contents.metadata.values()) {
      const auto* array = std::get_if<cleave::ckpt::GgufArray>(&value);
      if (array == nullptr) continue;
      for (const std::byte byte : array->bytes) sum += std::to_integer<unsigned>(byte);
      for (const std::string_view text : array->strings)
        for (const char c : text) sum += static_cast<unsigned char>(c);
    }
    const cleave::ckpt::HuggingFaceView view = cleave::ckpt::to_hugging_face(contents);
    for (const auto& [name, tensor] : view.tensors)
      for (const std::byte byte : tensor.view.bytes) sum += std::to_integer<unsigned>(byte);
    volatile unsigned sink = sum;
    (void)sink;
  });
}
