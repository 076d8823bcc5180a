#include <string_view>

#include "fuzz_target.h"
#include "text/files/tokenizer_json.h"
#include "text/tokenizer/detokenizer.h"
#include "unicode/utf8.h"

namespace {

// A tokenizer.json, a zero byte, a text to encode with it. Whatever the file says, a tokenizer that loads gives ids of
// its own vocabulary and valid text.
void load_and_encode(std::span<const std::byte> bytes) {
  const std::string_view input(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t end = input.find('\0');
  const std::string_view text = end == std::string_view::npos ? "" : input.substr(end + 1);
  const auto tokenizer =
      cleave::text::load_tokenizer_json(cleave::parse_json(input.substr(0, end), "tokenizer.json"), "tokenizer.json");
  cleave::text::Detokenizer stream(*tokenizer, false);
  std::string streamed;
  const auto ids = tokenizer->encode(text, true);
  for (const int32_t id : ids) {
    if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    streamed += stream.push(id);
  }
  streamed += stream.flush();
  if (!cleave::unicode::is_utf8(streamed) || !cleave::unicode::is_utf8(tokenizer->decode(ids, true))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, load_and_encode);
}
