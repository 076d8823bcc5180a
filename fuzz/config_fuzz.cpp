#include "ckpt/config.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, [](std::span<const std::byte> bytes) {
    cleave::ckpt::parse_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "config.json");
  });
}
