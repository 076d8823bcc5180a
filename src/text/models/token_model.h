#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace cleave::text {

/// An encoder for the pieces of one text, which may remember pieces that it has met. Its TokenModel must outlive it.
/// Not thread-safe.
class PieceEncoder {
 public:
  virtual ~PieceEncoder() = default;
  /// Appends the ids of the tokens that a piece becomes.
  virtual void encode(std::string_view piece, std::vector<int32_t>& ids) = 0;
};

/// The model of a tokenizer, such as BPE or Unigram: a vocabulary, and the way in which a piece of text becomes tokens
/// of it. Immutable and thread-safe.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// An encoder for the pieces of a text.
  virtual std::unique_ptr<PieceEncoder> start_text() const = 0;
  /// The id of a token; nothing for a text that is no token.
  virtual std::optional<int32_t> id(std::string_view token) const = 0;
  /// The token of an id as the vocabulary writes it; nothing for an unused id.
  virtual std::optional<std::string_view> token(int32_t id) const = 0;
  /// Number of tokens.
  virtual size_t size() const = 0;
  /// Largest id + 1; 0 for an empty vocabulary.
  virtual int32_t id_end() const = 0;
};

}  // namespace cleave::text
