#pragma once

#include <cstddef>
#include <span>

namespace cleave {

/// A long range of memory in which a pattern recurs, and which takes the memory of one pattern: its pages are mapped
/// again and again. Read-only once made; movable.
class RepeatedBytes {
 public:
  /// At least `size` bytes. REQUIRES: the pattern is not empty and its size a multiple of kUnit. Throws Error(Io) where
  /// the system refuses.
  RepeatedBytes(std::span<const std::byte> pattern, size_t size);
  RepeatedBytes(RepeatedBytes&& other) noexcept;
  RepeatedBytes& operator=(RepeatedBytes&& other) noexcept;
  ~RepeatedBytes();

  static constexpr size_t kUnit = 4096;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// Says that pages wholly inside `range` will not be read soon: they no longer count as resident. They keep what they
  /// hold. Does nothing with a range of other memory.
  void release(std::span<const std::byte> range) const;

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cleave
