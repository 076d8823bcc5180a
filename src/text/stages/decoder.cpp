#include "text/stages/decoder.h"

#include "text/stages/byte_level.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

class ByteLevelStep final : public DecoderStep {
 public:
  // Join all bytes in one token, because a character may be spread over several tokens.
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) append_token_bytes(token, bytes);
    tokens.assign(1, unicode::sanitize_utf8(bytes));
  }

  void apply_to_bytes(std::string& token) const override {
    std::string bytes;
    append_token_bytes(token, bytes);
    token = std::move(bytes);
  }
};

class SpacingStep final : public DecoderStep {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(tokens[i].begin(), ' ');
  }
  void apply_to_bytes(std::string& token) const override { token.insert(token.begin(), ' '); }
};

}  // namespace

std::string Decoder::decode(std::span<const std::string_view> tokens) const {
  std::vector<std::string> rewritten(tokens.begin(), tokens.end());
  steps_->apply(rewritten);
  std::string text;
  for (const std::string& token : rewritten) text += token;
  return unicode::sanitize_utf8(text);
}

std::string Decoder::token_bytes(std::string_view token) const {
  std::string bytes(token);
  steps_->apply_to_bytes(bytes);
  return bytes;
}

std::unique_ptr<DecoderStep> make_byte_level_step() {
  return std::make_unique<ByteLevelStep>();
}

std::unique_ptr<DecoderStep> make_spacing_step() {
  return std::make_unique<SpacingStep>();
}

}  // namespace cleave::text
