#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace cleave::text {

/// Encodes the pieces of one text. It may remember pieces that it has met. The model must outlive it; not thread-safe.
class PieceEncoder {
 public:
  virtual ~PieceEncoder() = default;
  /// Appends the ids of a piece.
  virtual void encode(std::string_view piece, std::vector<int32_t>& ids) = 0;
};

/// The kind of a tokenizer: its vocabulary and how a piece of text becomes tokens of it. Immutable and thread-safe.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  virtual std::unique_ptr<PieceEncoder> start_text() const = 0;
  virtual std::optional<int32_t> id(std::string_view token) const = 0;
  /// The token as the vocabulary writes it; nothing for an id that it does not have.
  virtual std::optional<std::string_view> token(int32_t id) const = 0;
  /// Number of tokens.
  virtual size_t size() const = 0;
  /// Largest id + 1; 0 where there is none.
  virtual int32_t id_end() const = 0;
};

}  // namespace cleave::text
