#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/json_field.h"

namespace cleave::text {

/// Rewrites a text before it is split. Immutable and thread-safe.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// The normal form of `text`, which must be UTF-8.
  virtual std::string apply(std::string_view text) const = 0;
};

/// Reads the `normalizer` of a tokenizer.json: NFC, NFD, NFKC, NFKD, or a Sequence of them. Throws Error(Unsupported)
/// for another type.
std::unique_ptr<Normalizer> read_normalizer(const JsonField& field);

}  // namespace cleave::text
