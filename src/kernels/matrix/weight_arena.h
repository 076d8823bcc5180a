#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/buffer.h"

namespace cleave::kernels {

/// Memory for the packed weights of a whole model, handed out in pieces and freed as one. Pieces lie side by side in
/// pages of two megabytes, however small they are. Not thread-safe. Pieces stay where they are when the arena is moved.
class WeightArena {
 public:
  WeightArena() = default;
  /// Memory in which packed weights lie already, piece after piece as another arena has handed them out: a matrix that
  /// is made in it packs nothing. Borrows the memory, and does not write to it.
  explicit WeightArena(std::span<const std::byte> packed);

  /// Whether pieces hold weights when they are handed out.
  bool is_packed() const { return is_packed_; }

  /// A piece of zeroed memory, aligned to 64 bytes, that becomes resident when it is touched first. Throws Error(Io)
  /// where the system gives none, Error(Corrupt) where packed memory has been handed out.
  std::span<std::byte> allocate(size_t bytes);

  /// Bytes handed out so far.
  size_t used() const { return used_; }

 private:
  std::vector<Buffer> chunks_;
  std::span<std::byte> free_;  // what is left of the last chunk
  size_t used_ = 0;
  bool is_packed_ = false;
};

/// Memory for the weights of one matrix: a piece of an arena or, without one, a buffer of its own. Movable.
class WeightMemory {
 public:
  WeightMemory() = default;
  WeightMemory(size_t bytes, WeightArena* arena);

  std::byte* data() { return bytes_.data(); }
  const std::byte* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return bytes_; }
  /// Whether it holds the matrix already.
  bool is_packed() const { return is_packed_; }

 private:
  Buffer own_;
  std::span<std::byte> bytes_;
  bool is_packed_ = false;
};

}  // namespace cleave::kernels
