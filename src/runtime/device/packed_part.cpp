#include "runtime/device/packed_part.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "kernels/layout/version.h"

namespace cleave::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "CLEAVPKD";
constexpr int kFileVersion = 1;
constexpr int kVersion = 1000 * kFileVersion + kernels::kPackedVersion;
constexpr int64_t kDataBegin = int64_t{2} << 20;  // a huge page, so that the data may lie in such pages
constexpr int64_t kPieceAlignment = 64;

struct Header {
  char magic[8];
  int64_t position, size;  // of the description
};

Json to_json(const PartDescription& part) {
  Json pieces = Json::array();
  for (const PackedPiece& piece : part.pieces)
    pieces.push_back({piece.layout.num_rows, piece.layout.row_elements, to_string(piece.layout.dtype),
                      piece.layout.is_dequantized, piece.layout.is_mapped, piece.offset, piece.bytes});
  return {{"version", kVersion},
          {"model", part.identity.model},
          {"rank", part.identity.rank},
          {"ranks", part.identity.ranks},
          {"arena_bytes", part.arena_bytes},
          {"data_bytes", part.data_bytes},
          {"stored_bytes", part.stored_bytes},
          {"checksum", part.checksum},
          {"pieces", pieces}};
}

PackedPiece piece_from(const Json& json) {
  PackedPiece piece;
  piece.layout.num_rows = json.at(0).get<int64_t>();
  piece.layout.row_elements = json.at(1).get<int64_t>();
  const auto name = json.at(2).get<std::string>();
  const std::optional<DType> dtype = dtype_from_name(name);
  if (!dtype) fail(ErrorKind::Corrupt, "has a weight of unknown type {}", name);
  piece.layout.dtype = *dtype;
  piece.layout.is_dequantized = json.at(3).get<bool>();
  piece.layout.is_mapped = json.at(4).get<bool>();
  piece.offset = json.at(5).get<int64_t>();
  piece.bytes = json.at(6).get<int64_t>();
  return piece;
}

void check(const PartDescription& part) {
  if (part.arena_bytes < 0 || part.arena_bytes > part.data_bytes)
    fail(ErrorKind::Corrupt, "has {} bytes of matrices in {} bytes of data", part.arena_bytes, part.data_bytes);
  for (const PackedPiece& piece : part.pieces)
    if (piece.offset < 0 || piece.bytes < 0 || piece.offset > part.data_bytes ||
        piece.bytes > part.data_bytes - piece.offset || piece.offset % kPieceAlignment != 0)
      fail(ErrorKind::Corrupt, "has a weight of {} bytes at offset {} of {} bytes of data", piece.bytes, piece.offset,
           part.data_bytes);
}

PartDescription description_from(const Json& json) {
  if (const int version = json.at("version").get<int>(); version != kVersion)
    fail(ErrorKind::Unsupported, "has version {} of packed weights, this program reads {}; make the parts again",
         version, kVersion);
  PartDescription part;
  part.identity = {json.at("model").get<std::string>(), json.at("rank").get<int>(), json.at("ranks").get<int>()};
  part.arena_bytes = json.at("arena_bytes").get<int64_t>();
  part.data_bytes = json.at("data_bytes").get<int64_t>();
  part.stored_bytes = json.at("stored_bytes").get<int64_t>();
  part.checksum = json.at("checksum").get<uint64_t>();
  for (const Json& piece : json.at("pieces")) part.pieces.push_back(piece_from(piece));
  check(part);
  return part;
}

// Throws Error whose text follows the file's name.
PartDescription read_description(std::string_view text) {
  Header header{};
  if (!text.starts_with(kMagic) || text.size() < sizeof header) fail(ErrorKind::Corrupt, "holds no packed weights");
  std::memcpy(&header, text.data(), sizeof header);
  const auto size = static_cast<int64_t>(text.size());
  if (header.position < kDataBegin || header.position > size || header.size != size - header.position)
    fail(ErrorKind::Corrupt, "has {} bytes, expected {} and a description of {} (is it truncated?)", size,
         header.position, header.size);
  PartDescription part;
  try {
    part = description_from(parse_json(text.substr(static_cast<size_t>(header.position)), "description"));
  } catch (const Json::exception& error) {
    fail(ErrorKind::Corrupt, "has a description that does not fit: {}", error.what());
  }
  if (part.data_bytes != header.position - kDataBegin)
    fail(ErrorKind::Corrupt, "has {} bytes of data, expected {}", header.position - kDataBegin, part.data_bytes);
  return part;
}

}  // namespace

fs::path part_file(const PartIdentity& identity) {
  return fmt::format("rank-{:03}-of-{:03}.packed", identity.rank, identity.ranks);
}

uint64_t chunk_checksum(std::span<const std::byte> chunk, int64_t index) {
  Hash hash;
  hash.add(index);
  for (; chunk.size() >= sizeof(uint64_t); chunk = chunk.subspan(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, chunk.data(), sizeof word);
    hash.add(word);
  }
  for (const std::byte byte : chunk) hash.add(byte);
  return hash.value();
}

PartWriter::PartWriter(const fs::path& path) : path_(path), temporary_(path.string() + ".incomplete") {
  file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file_ < 0) fail(ErrorKind::Io, "cannot write {}: {}", temporary_.string(), strerror(errno));
  chunk_.reserve(kChecksumChunk);
}

PartWriter::~PartWriter() {
  if (file_ < 0) return;
  close(file_);
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void PartWriter::write(std::span<const std::byte> bytes, int64_t position) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file_, bytes.data(), bytes.size(), position);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(ErrorKind::Io, "cannot write {}: {}", temporary_.string(), strerror(errno));
    bytes = bytes.subspan(static_cast<size_t>(written));
    position += written;
  }
}

void PartWriter::flush() {
  if (chunk_.empty()) return;
  const int64_t begin = size_ - static_cast<int64_t>(chunk_.size());
  checksum_ += chunk_checksum(chunk_, begin / kChecksumChunk);
  write(chunk_, kDataBegin + begin);
  chunk_.clear();
}

void PartWriter::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), static_cast<size_t>(kChecksumChunk) - chunk_.size()));
    chunk_.insert(chunk_.end(), part.begin(), part.end());
    size_ += static_cast<int64_t>(part.size());
    bytes = bytes.subspan(part.size());
    if (static_cast<int64_t>(chunk_.size()) == kChecksumChunk) flush();
  }
}

int64_t PartWriter::add(std::span<const std::byte> bytes) {
  constexpr std::array<std::byte, kPieceAlignment> kZeros = {};
  append(std::span(kZeros).first(static_cast<size_t>((kPieceAlignment - size_ % kPieceAlignment) % kPieceAlignment)));
  const int64_t offset = size_;
  append(bytes);
  return offset;
}

void PartWriter::finish(PartDescription description) {
  flush();
  description.data_bytes = size_;
  description.checksum = checksum_;
  const std::string text = to_json(description).dump();
  Header header{{}, kDataBegin + size_, static_cast<int64_t>(text.size())};
  kMagic.copy(header.magic, sizeof header.magic);
  write(std::as_bytes(std::span(text)), header.position);
  write(std::as_bytes(std::span(&header, 1)), 0);
  if (fsync(file_) != 0 || close(std::exchange(file_, -1)) != 0)
    fail(ErrorKind::Io, "cannot write {}: {}", temporary_.string(), strerror(errno));
  std::error_code error;
  fs::rename(temporary_, path_, error);
  if (error) fail(ErrorKind::Io, "cannot rename {} to {}: {}", temporary_.string(), path_.string(), error.message());
}

PackedPart::PackedPart(const fs::path& path) : file_(path) {
  try {
    description_ = read_description(file_.text());
  } catch (const Error& error) {
    fail(error.kind(), "{} {}", path.string(), error.what());
  }
  data_ = file_.bytes().subspan(kDataBegin, static_cast<size_t>(description_.data_bytes));
}

std::span<const std::byte> PackedPart::piece(size_t parameter) const {
  const PackedPiece& piece = description_.pieces.at(parameter);
  return data_.subspan(static_cast<size_t>(piece.offset), static_cast<size_t>(piece.bytes));
}

bool PackedPart::is_in_memory() const {
  struct statfs status {};
  if (statfs(path().c_str(), &status) != 0) return false;
  return status.f_type == TMPFS_MAGIC || status.f_type == HUGETLBFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

}  // namespace cleave::runtime
