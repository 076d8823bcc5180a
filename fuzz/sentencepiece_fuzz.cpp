#include <string_view>

#include "fuzz_target.h"
#include "text/files/sentencepiece.h"
#include "unicode/utf8.h"

namespace {

// A SentencePiece model, which encodes some texts and its own bytes. Whatever it says, ids are its own, and decodings
// are text.
void load_and_encode(std::span<const std::byte> bytes) {
  const std::string_view input(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const cleave::text::SentencePieceSpec spec = cleave::text::read_sentencepiece(input, "m.model");
  const auto tokenizer = cleave::text::make_pipeline_tokenizer(cleave::text::sentencepiece_pipeline(spec, "m.model"));
  for (const std::string_view text : {std::string_view("Hello  world, \xE6\x9D\xB1 \xEF\xAC\x81 "), input}) {
    const auto ids = tokenizer->encode(text, true);
    for (const int32_t id : ids)
      if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    if (!cleave::unicode::is_utf8(tokenizer->decode(ids, true))) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, load_and_encode);
}
