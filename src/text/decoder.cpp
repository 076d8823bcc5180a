#include "text/decoder.h"

#include "base/error.h"
#include "text/byte_level.h"
#include "text/shown_text.h"
#include "text/utf8.h"

namespace cleave::text {
namespace {

class ByteLevelDecoder final : public Decoder {
 public:
  std::string decode(std::span<const std::string_view> tokens) const override {
    std::string bytes;
    for (const std::string_view token : tokens) append_token_bytes(token, bytes);
    return sanitize_utf8(bytes);
  }

  std::string token_bytes(std::string_view token) const override {
    std::string bytes;
    append_token_bytes(token, bytes);
    return bytes;
  }
};

class SpacingDecoder final : public Decoder {
 public:
  std::string decode(std::span<const std::string_view> tokens) const override {
    std::string text;
    for (size_t i = 0; i < tokens.size(); ++i) text.append(i > 0 ? " " : "").append(tokens[i]);
    return sanitize_utf8(text);
  }

  std::string token_bytes(std::string_view token) const override { return std::string(token).append(" "); }
};

}  // namespace

std::unique_ptr<Decoder> make_byte_level_decoder() {
  return std::make_unique<ByteLevelDecoder>();
}
std::unique_ptr<Decoder> make_spacing_decoder() {
  return std::make_unique<SpacingDecoder>();
}

std::unique_ptr<Decoder> read_decoder(const JsonField& field) {
  const std::string& type = field.at("type").string();
  if (type == "ByteLevel") return make_byte_level_decoder();
  fail(ErrorKind::Unsupported, "{}: a decoder of type {} is not read; ByteLevel is", field.path(), shown_text(type));
}

}  // namespace cleave::text
