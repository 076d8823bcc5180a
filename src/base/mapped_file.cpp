#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace cleave {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// How a file begins that git-lfs has put in the place of a large one
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, "The Pointer").
constexpr std::string_view kLfsPointer = "version https://git-lfs.github.com/spec/";

[[noreturn]] void refuse_kind(const std::filesystem::path& path, mode_t mode) {
  fail(ErrorKind::Io, "{} is {}, wanted a file", path.string(), S_ISDIR(mode) ? "a directory" : "not a regular file");
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    fail(errno == ENOENT ? ErrorKind::NotFound : ErrorKind::Io, "cannot open {}: {}", path.string(), strerror(errno));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail(ErrorKind::Io, "cannot stat {}: {}", path.string(), strerror(errno));
  if (!S_ISREG(status.st_mode)) refuse_kind(path, status.st_mode);
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  void* data = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) fail(ErrorKind::Io, "cannot map {} ({} bytes): {}", path.string(), size_, strerror(errno));
  data_ = static_cast<const std::byte*>(data);
  if (text().starts_with(kLfsPointer)) {
    munmap(data, size_);
    fail(ErrorKind::Corrupt, "{} is a git-lfs pointer, not the file itself; fetch it with \"git lfs pull\"",
         path.string());
  }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> range) const {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(range.data()) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(range.data()) + range.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace cleave
