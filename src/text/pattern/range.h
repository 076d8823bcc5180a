#pragma once

#include <cstddef>

namespace cleave::text {

/// A part of a text, from byte `begin` up to byte `end`.
struct Range {
  size_t begin;
  size_t end;
  bool operator==(const Range&) const = default;
};

}  // namespace cleave::text
