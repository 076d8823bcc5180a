#pragma once

#include "text/tokenizer/tokenizer.h"

namespace cleave::text::testing {

/// A tokenizer for tests: every byte is a token of that number.
class ByteTokenizer : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text, bool) const override {
    std::vector<int32_t> ids;
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  std::string decode(std::span<const int32_t> ids, bool) const override {
    std::string text;
    for (const int32_t id : ids) text += static_cast<char>(id);
    return text;
  }
  std::string token_bytes(int32_t id) const override { return std::string(1, static_cast<char>(id)); }
  int32_t vocab_size() const override { return 256; }
  bool is_special(int32_t) const override { return false; }
  std::optional<int32_t> token_id(std::string_view) const override { return std::nullopt; }
};

}  // namespace cleave::text::testing
