#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

// The file of one rank's weights as its device has packed them, so that another run need not pack them again. Layout
// (numbers little-endian):
//   magic    8 bytes "CLEAVPKD"
//   where    8 bytes, position of the description in the file; 8 bytes, its size
//   data     from 2 MiB on: `arena_bytes` of packed matrices as an arena has handed them out, then tables (rows as
//            stored) and vectors (f32), each from a multiple of 64 bytes on
//   JSON     the description: identity, sizes, and where each parameter lies in the data
// Matrices lie as kernels/layout has it, the same on all processors; what changes that, or this file, changes the
// version that the description has.

/// Which part of which model a file holds.
struct PartIdentity {
  std::string model;  // of the run that has made the parts; parts of two runs do not mix
  int rank = 0, ranks = 1;
  bool operator==(const PartIdentity&) const = default;
};

/// The file's name in the folder of all parts: "rank-001-of-002.packed".
std::filesystem::path part_file(const PartIdentity& identity);

/// Where ranks keep their parts of a model as they have packed them (a PackedPart each).
struct PackedParts {
  std::filesystem::path directory;
  std::string model;             // PartIdentity::model
  std::optional<bool> map = {};  // use them where they are mapped; nothing: only where the file lies in memory already
};

/// Where a parameter lies in the data, and what it is.
struct PackedPiece {
  RowLayout layout;  // of the rows that it was made of
  int64_t offset = 0, bytes = 0;
};

struct PartDescription {
  PartIdentity identity;
  std::vector<PackedPiece> pieces;  // in the order of the rank's parameters
  int64_t arena_bytes = 0;          // of packed matrices, at the beginning of the data
  int64_t data_bytes = 0;
  int64_t stored_bytes = 0;  // of the checkpoint that it was made of
  uint64_t checksum = 0;     // sum of chunk_checksum() of the data's chunks
};

/// Bytes of the data that have a checksum of their own; only the last chunk is shorter.
inline constexpr int64_t kChecksumChunk = int64_t{1} << 20;
/// The checksum of chunk `index`. Those of all chunks are added, in any order. Finds damage, no malice.
uint64_t chunk_checksum(std::span<const std::byte> chunk, int64_t index);

/// Writes a part, under another name until it is complete. Throws Error(Io) naming the file.
class PartWriter {
 public:
  explicit PartWriter(const std::filesystem::path& path);
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;
  /// Removes what is not complete.
  ~PartWriter();

  /// Appends bytes to the data, from the next multiple of 64 bytes on. Gives their offset.
  int64_t add(std::span<const std::byte> bytes);
  int64_t data_bytes() const { return size_; }
  /// Writes the description, whose data_bytes and checksum it fills in, and gives the file its name.
  void finish(PartDescription description);

 private:
  void append(std::span<const std::byte> bytes);
  void flush();
  void write(std::span<const std::byte> bytes, int64_t position);

  std::filesystem::path path_, temporary_;
  int file_ = -1;
  int64_t size_ = 0;
  std::vector<std::byte> chunk_;  // the data's last one, not yet written
  uint64_t checksum_ = 0;
};

/// A part that a run has written, mapped. Immutable; thread-safe.
class PackedPart {
 public:
  /// Throws Error: NotFound where there is no such file; Corrupt where it is not whole; Unsupported where another
  /// version of Cleave has written it.
  explicit PackedPart(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const PartDescription& description() const { return description_; }
  std::span<const std::byte> data() const { return data_; }
  std::span<const std::byte> piece(size_t parameter) const;
  void release(std::span<const std::byte> range) const { file_.release(range); }
  /// Whether the file lies in memory already, as in /dev/shm, or in huge pages: a copy would gain nothing.
  bool is_in_memory() const;

 private:
  MappedFile file_;
  PartDescription description_;
  std::span<const std::byte> data_;
};

}  // namespace cleave::runtime
