#include "ckpt/tensors/numbers_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace cleave::ckpt {

void NumbersReader::read(int64_t element, std::span<std::byte> target) const {
  std::array<float, 256> buffer;  // target is bytes, of any alignment
  while (!target.empty()) {
    const std::span<float> some = std::span(buffer).first(std::min(target.size() / sizeof(float), buffer.size()));
    numbers(element, some);
    std::memcpy(target.data(), some.data(), some.size_bytes());
    target = target.subspan(some.size_bytes());
    element += static_cast<int64_t>(some.size());
  }
}

}  // namespace cleave::ckpt
