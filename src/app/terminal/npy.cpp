#include "app/terminal/npy.h"

#include <fmt/format.h>

#include <bit>
#include <fstream>
#include <string>

#include "base/error.h"

namespace cleave::app {
namespace {

static_assert(std::endian::native == std::endian::little);

// With what precedes it, it is as long as a multiple of 64 bytes.
std::string header_of(size_t rows, size_t columns) {
  constexpr size_t kBefore = 10, kAlignment = 64;
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  while ((kBefore + text.size() + 1) % kAlignment != 0) text += ' ';
  return text + '\n';
}

}  // namespace

void write_npy(const std::filesystem::path& path, std::span<const std::vector<float>> vectors) {
  const std::string header = header_of(vectors.size(), vectors.empty() ? 0 : vectors.front().size());
  std::ofstream file(path, std::ios::binary);
  file.write("\x93NUMPY\x01\x00", 8);
  file.put(static_cast<char>(header.size() % 256)).put(static_cast<char>(header.size() / 256));
  file << header;
  for (const std::vector<float>& vector : vectors)
    file.write(reinterpret_cast<const char*>(vector.data()), static_cast<long>(vector.size() * sizeof(float)));
  file.close();
  if (!file) fail(ErrorKind::Io, "{} cannot be written", path.string());
}

}  // namespace cleave::app
