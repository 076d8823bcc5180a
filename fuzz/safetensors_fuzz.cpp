#include <numeric>

#include "ckpt/safetensors.h"
#include "fuzz_target.h"

// Parses, then touches every byte that a view claims, so that a view beyond the file is seen.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, [](std::span<const std::byte> bytes) {
    const auto contents = cleave::ckpt::parse_safetensors(bytes, "input.safetensors");
    unsigned sum = 0;
    for (const auto& [name, view] : contents.tensors)
      for (const std::byte byte : view.bytes) sum += std::to_integer<unsigned>(byte);
    volatile unsigned sink = sum;
    (void)sink;
  });
}
