#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cleave {

/// Whether two-megabyte pages are asked for. They make the reads of decode faster (docs/notebook/loading.md, "Pages"),
/// but a whole one becomes resident with its first byte: wrong for memory of which a part is used at a time.
enum class Pages : uint8_t { Huge, Small };

/// Anonymous zeroed memory for weights, caches and activations. Memory is reserved at once and becomes resident when
/// first touched, so the thread that fills a part decides its NUMA node. Aligned to at least a page. Movable.
class Buffer {
 public:
  Buffer() = default;
  /// Throws Error(Io) where the system gives no memory, naming the size.
  explicit Buffer(size_t size, Pages pages = Pages::Huge);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> bytes() { return {data_, size_}; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// The memory as an array of trivially copyable T.
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cleave
