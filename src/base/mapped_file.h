#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace cleave {

/// A file mapped read-only into memory for as long as this object lives; views of its bytes do not outlive the object.
/// Movable. Thread-safe.
class MappedFile {
 public:
  /// Throws Error: NotFound if there is no such file, Io if it is no regular file or cannot be read, Corrupt if it is a
  /// pointer that git-lfs has put in its place.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  /// The bytes of the whole file, also as text.
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

  /// Tells the kernel that the pages wholly inside `range` need not stay resident; a page that is touched again comes
  /// back from the page cache. REQUIRES: `range` is a part of bytes().
  void release(std::span<const std::byte> range) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cleave
