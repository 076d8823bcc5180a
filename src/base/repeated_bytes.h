#pragma once

#include <cstddef>
#include <span>

namespace cleave {

/// A long range of memory that repeats one pattern and only takes the memory of the pattern, because the same pages are
/// mapped again and again. Read-only; movable.
class RepeatedBytes {
 public:
  /// Makes a range of at least `size` bytes. Throws Error(Io) if the system refuses. REQUIRES: the pattern is not empty
  /// and its size is a multiple of kUnit.
  RepeatedBytes(std::span<const std::byte> pattern, size_t size);
  RepeatedBytes(RepeatedBytes&& other) noexcept;
  RepeatedBytes& operator=(RepeatedBytes&& other) noexcept;
  ~RepeatedBytes();

  static constexpr size_t kUnit = 4096;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// Says that pages wholly inside `range` will not be read soon, so that they no longer count as resident; their
  /// contents stay. Does nothing for a range of other memory.
  void release(std::span<const std::byte> range) const;

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cleave
