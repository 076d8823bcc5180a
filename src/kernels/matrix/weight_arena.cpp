#include "kernels/matrix/weight_arena.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"

namespace cleave::kernels {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// Bytes of a chunk, which are reserved, not resident: so many that the unused ends of chunks do not matter.
constexpr size_t kChunk = size_t{256} << 20;

constexpr size_t align_up(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

}  // namespace

// Nothing writes to packed memory: matrices that find it packed only read.
WeightArena::WeightArena(std::span<const std::byte> packed)
    : free_(const_cast<std::byte*>(packed.data()), packed.size()), is_packed_(true) {}

std::span<std::byte> WeightArena::allocate(size_t bytes) {
  if (bytes > free_.size() && is_packed_)
    fail(ErrorKind::Corrupt, "packed weights end {} bytes before a matrix does", bytes - free_.size());
  const size_t size = is_packed_ ? std::min(align_up(bytes), free_.size()) : align_up(bytes);
  if (size > free_.size()) {
    Buffer& chunk = chunks_.emplace_back(std::max(kChunk, size) + kHugePage);
    const auto address = reinterpret_cast<uintptr_t>(chunk.data());
    free_ = chunk.bytes().subspan((kHugePage - address % kHugePage) % kHugePage);
  }
  const std::span<std::byte> piece = free_.first(bytes);
  free_ = free_.subspan(size);
  used_ += size;
  return piece;
}

WeightMemory::WeightMemory(size_t bytes, WeightArena* arena) {
  if (arena != nullptr) {
    bytes_ = arena->allocate(bytes);
    is_packed_ = arena->is_packed();
  } else {
    own_ = Buffer(bytes);
    bytes_ = own_.bytes();
  }
}

}  // namespace cleave::kernels
