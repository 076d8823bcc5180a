#include "base/repeated_bytes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace cleave {

RepeatedBytes::RepeatedBytes(std::span<const std::byte> pattern, size_t size) {
  CHECK(!pattern.empty() && pattern.size() % kUnit == 0);
  const auto refuse = [&](const char* what) {
    fail(ErrorKind::Io, "cannot {} {} bytes of memory: {}", what, size, strerror(errno));
  };
  const size_t whole = (size + pattern.size() - 1) / pattern.size() * pattern.size();
  void* range = mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) refuse("reserve");
  data_ = static_cast<std::byte*>(range);
  size_ = whole;
  const int file = memfd_create("pattern", MFD_CLOEXEC);
  bool made = file >= 0 && ftruncate(file, static_cast<off_t>(pattern.size())) == 0;
  for (size_t at = 0; made && at < whole; at += pattern.size()) {
    const int protection = at == 0 ? PROT_READ | PROT_WRITE : PROT_READ;
    made = mmap(data_ + at, pattern.size(), protection, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED;
    if (made && at == 0) std::memcpy(data_, pattern.data(), pattern.size());
  }
  const int error = errno;
  if (file >= 0) close(file);  // mappings stay
  if (made) return;
  munmap(data_, size_);
  errno = error;
  refuse("map");
}

void RepeatedBytes::release(std::span<const std::byte> range) const {
  if (!std::less_equal<>()(data_, range.data()) || !std::less<>()(range.data(), data_ + size_)) return;
  const auto offset = static_cast<size_t>(range.data() - data_);
  const size_t begin = (offset + kUnit - 1) / kUnit * kUnit, end = (offset + range.size()) / kUnit * kUnit;
  if (begin < end) madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

RepeatedBytes::RepeatedBytes(RepeatedBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

RepeatedBytes& RepeatedBytes::operator=(RepeatedBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

RepeatedBytes::~RepeatedBytes() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace cleave
