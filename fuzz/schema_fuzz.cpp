#include "base/json.h"
#include "base/ordered_json.h"
#include "fuzz_target.h"
#include "grammar_walk.h"

namespace {

// A JSON schema, a zero byte, a text. What the schema accepts must be JSON.
void follow(std::span<const std::byte> bytes) {
  const auto [schema, text] = cleave::fuzz::two_parts(bytes);
  const auto program =
      cleave::grammar::compile_json_schema(cleave::parse_ordered_json(schema, "schema"), cleave::fuzz::short_limits());
  const auto [taken, complete] = cleave::fuzz::walk(program, text);
  if (complete && !cleave::Json::accept(text.substr(0, taken))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, follow);
}
