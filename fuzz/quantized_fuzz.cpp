#include <algorithm>
#include <vector>

#include "ckpt/quantized/join.h"
#include "ckpt/safetensors.h"
#include "fuzz_target.h"

// The text of a config.json, a zero byte, and a safetensors file. Joins what is quantised in it and reads the first
// rows of every weight, so that a part that is smaller than its reader thinks is seen.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, [](std::span<const std::byte> bytes) {
    using namespace cleave;
    constexpr int64_t kElements = 1 << 14;
    const auto zero = std::ranges::find(bytes, std::byte{0});
    if (zero == bytes.end()) return;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(zero - bytes.begin()));
    const Json config = parse_json(text, "config.json");
    if (!config.is_object()) return;
    const auto contents = ckpt::parse_safetensors(bytes.subspan(text.size() + 1), "input.safetensors");
    ckpt::NamedTensors tensors;
    for (const auto& [name, view] : contents.tensors) tensors.emplace(name, ckpt::Tensor{view});
    ckpt::join_quantized(tensors, ckpt::find_quantization(config, "", ckpt::packed_tensor(tensors)));
    for (const auto& [name, tensor] : tensors) {
      const int64_t all = num_elements(tensor.view.shape), unit = info(tensor.dtype()).block_elements;
      if (!tensor.reader || all == 0) continue;
      const int64_t count = std::min(all, kElements) / unit * unit;
      std::vector<std::byte> target(static_cast<size_t>(row_bytes(tensor.dtype(), count)));
      ckpt::read_elements(tensor, 0, target);
      ckpt::read_elements(tensor, all - count, target);
    }
  });
}
