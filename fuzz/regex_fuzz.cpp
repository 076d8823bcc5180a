#include "fuzz_target.h"
#include "grammar_walk.h"

namespace {

// A regular expression, a zero byte, a text.
void follow(std::span<const std::byte> bytes) {
  const auto [expression, text] = cleave::fuzz::two_parts(bytes);
  cleave::fuzz::walk(cleave::grammar::compile_regex(expression, cleave::fuzz::short_limits()), text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, follow);
}
