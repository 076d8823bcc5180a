#include "base/buffer.h"

#include <sys/mman.h>

#include <utility>

#include "base/error.h"

namespace cleave {

namespace {
// The size of a buffer from which on huge pages save more than they waste.
constexpr size_t kHugePage = size_t{2} << 20;
}  // namespace

Buffer::Buffer(size_t size, Pages pages) : size_(size) {
  if (size == 0) return;
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) fail(ErrorKind::Io, "cannot reserve {} bytes of memory", size);
  if (pages == Pages::Huge && size >= kHugePage) madvise(data, size, MADV_HUGEPAGE);
  data_ = static_cast<std::byte*>(data);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Buffer::~Buffer() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace cleave
