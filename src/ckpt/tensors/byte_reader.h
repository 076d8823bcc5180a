#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cleave::ckpt {

static_assert(std::endian::native == std::endian::little, "the readers take the bytes of a file as they lie");

/// A cursor over the bytes of an untrusted little-endian file. Every read is checked against what remains; a read that
/// does not fit throws Error(Corrupt) naming the file, what was read, where, and how much there was. Borrows the bytes
/// and the file's name.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  /// One number, unaligned.
  template <class T>
  T read(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  /// The next `size` bytes.
  std::span<const std::byte> take(uint64_t size, std::string_view what) {
    if (size > remaining())
      fail(ErrorKind::Corrupt, "{}: {} at byte {} needs {} bytes, but only {} of {} are left", file_, what, position_,
           size, remaining(), bytes_.size());
    position_ += static_cast<size_t>(size);
    return bytes_.subspan(position_ - static_cast<size_t>(size), static_cast<size_t>(size));
  }

  /// A count of things of at least `min_bytes` each that follow; checked, so that it can be reserved for.
  uint64_t read_count(size_t min_bytes, std::string_view what) {
    const auto count = read<uint64_t>(what);
    if (count > remaining() / min_bytes)
      fail(ErrorKind::Corrupt, "{}: {} is {}, but the {} bytes left hold at most {}", file_, what, count, remaining(),
           remaining() / min_bytes);
    return count;
  }

  /// A GGUF string: its length in eight bytes, then its bytes.
  std::string_view read_string(std::string_view what) {
    const std::span<const std::byte> text = take(read<uint64_t>(what), what);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& file_;
  size_t position_ = 0;
};

}  // namespace cleave::ckpt
