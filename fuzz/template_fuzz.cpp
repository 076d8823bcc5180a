#include <string_view>

#include "fuzz_target.h"
#include "jinja/template.h"
#include "unicode/utf8.h"

namespace {

// A chat template, a zero byte, a JSON object of variables. Whatever they say, the rendering ends within its bounds,
// with a text or an error.
void render(std::span<const std::byte> bytes) {
  const std::string_view input(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t end = input.find('\0');
  const std::string_view variables = end == std::string_view::npos ? "{}" : input.substr(end + 1);
  const cleave::jinja::Limits limits{.steps = 100'000, .memory_bytes = 8 << 20, .output_bytes = 1 << 20};
  const std::string text = cleave::jinja::Template(input.substr(0, end), "t").render(variables, limits);
  if (!cleave::unicode::is_utf8(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, render);
}
