#include "counting.h"

#include <execinfo.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

// What glibc calls its own functions, so that replacements can call them.
extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_realloc(void* memory, size_t size);
extern "C" void* __libc_memalign(size_t alignment, size_t size);

namespace {

std::atomic<bool> counting{false};
std::atomic<size_t> allocations{0};
std::array<void*, 24> first_frames;
std::atomic<int> first_depth{0};
thread_local bool inside = false;  // backtrace() may allocate

void count_one() {
  if (!counting.load(std::memory_order_relaxed) || inside) return;
  inside = true;
  if (allocations.fetch_add(1) == 0)
    first_depth = backtrace(first_frames.data(), static_cast<int>(first_frames.size()));
  inside = false;
}

}  // namespace

extern "C" {
void* malloc(size_t size) {
  count_one();
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  count_one();
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  count_one();
  return __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  count_one();
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, size, protection, flags, file, offset));
}
}

namespace cleave {

AllocationCount::AllocationCount() {
  void* frame = nullptr;
  backtrace(&frame, 1);  // loads what it needs
  allocations = 0;
  first_depth = 0;
  counting = true;
}

AllocationCount::~AllocationCount() {
  counting = false;
}

size_t AllocationCount::count() const {
  return allocations;
}

std::string AllocationCount::first() const {
  counting = false;
  std::string text;
  char** lines = backtrace_symbols(first_frames.data(), first_depth);
  for (int i = 2; lines != nullptr && i < first_depth; ++i) text += std::string("  ") + lines[i] + "\n";
  std::free(lines);
  return text;
}

}  // namespace cleave
