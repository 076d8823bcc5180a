#pragma once

#include <cstdint>

namespace cleave {

/// A 64-bit hash of a row of numbers: FNV-1a (Fowler, Noll, Vo) with a number in place of each byte. The same on every
/// machine, so that processes can compare what they hold; not for input that someone chooses to collide.
class Hash {
 public:
  /// Takes in the next number (or enumerator); the order counts.
  template <class T>
  void add(const T& value) {
    hash_ = (hash_ ^ static_cast<uint64_t>(value)) * 1099511628211u;
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 14695981039346656037u;
};

}  // namespace cleave
