#include "ckpt/gguf/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/tensors/byte_reader.h"
#include "ckpt/tensors/layout.h"

namespace cleave::ckpt {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::array<uint32_t, 4> kOlderMagics = {0x67676d6c, 0x67676d66, 0x67676a74,
                                                  0x67676c61};  // ggml, ggmf, ggjt, ggla
constexpr int kMaxArrayDepth = 4;                               // arrays of arrays; the files in use have none
constexpr uint32_t kMaxDimensions = 4;                          // GGML_MAX_DIMS
constexpr int64_t kDefaultAlignment = 32;
constexpr int64_t kMaxAlignment = 1 << 20;

// The smallest entries that a header can hold, for checking counts.
constexpr size_t kMinKeyBytes = 8 + 4 + 1;             // key length, type, value
constexpr size_t kMinTensorBytes = 8 + 4 + 8 + 4 + 8;  // name length, dimensions, one extent, type, offset
constexpr size_t kMinStringBytes = 8;
constexpr size_t kMinArrayBytes = 4 + 8;

// ggml_type, as numbered in the file.
struct GgmlType {
  uint32_t id;
  DType dtype;
};
constexpr std::array kGgmlTypes = {
    GgmlType{0, DType::F32},      GgmlType{1, DType::F16},     GgmlType{2, DType::Q4_0},
    GgmlType{3, DType::Q4_1},     GgmlType{6, DType::Q5_0},    GgmlType{7, DType::Q5_1},
    GgmlType{8, DType::Q8_0},     GgmlType{10, DType::Q2_K},   GgmlType{11, DType::Q3_K},
    GgmlType{12, DType::Q4_K},    GgmlType{13, DType::Q5_K},   GgmlType{14, DType::Q6_K},
    GgmlType{20, DType::IQ4_NL},  GgmlType{23, DType::IQ4_XS}, GgmlType{24, DType::I8},
    GgmlType{25, DType::I16},     GgmlType{26, DType::I32},    GgmlType{27, DType::I64},
    GgmlType{28, DType::F64},     GgmlType{30, DType::BF16},   GgmlType{39, DType::MXFP4},
    GgmlType{16, DType::IQ2_XXS}, GgmlType{17, DType::IQ2_XS}, GgmlType{18, DType::IQ3_XXS},
    GgmlType{19, DType::IQ1_S},   GgmlType{21, DType::IQ3_S},  GgmlType{22, DType::IQ2_S},
    GgmlType{29, DType::IQ1_M},   GgmlType{34, DType::TQ1_0},  GgmlType{35, DType::TQ2_0},
    GgmlType{40, DType::NVFP4},   GgmlType{41, DType::Q1_0},   GgmlType{42, DType::Q2_0},
};

// Names of the types that exist and are not read, for the error message.
constexpr std::array kOtherTypes = {std::pair{9u, "Q8_1"}, std::pair{15u, "Q8_K"}};

DType dtype_of(uint32_t id, const std::string& file, std::string_view tensor) {
  for (const GgmlType& type : kGgmlTypes)
    if (type.id == id) return type.dtype;
  for (const auto& [other, name] : kOtherTypes)
    if (other == id)
      fail(ErrorKind::Unsupported,
           "{}: tensor {} has type {}, which Cleave does not read; use a Q4_K_M, Q8_0 or F16 file", file,
           in_quotes(tensor), name);
  fail(ErrorKind::Corrupt, "{}: tensor {} has unknown type number {}", file, in_quotes(tensor), id);
}

GgufType read_type(ByteReader& reader, const std::string& file, std::string_view key) {
  const auto type = reader.read<uint32_t>("type of a metadata value");
  if (type > static_cast<uint32_t>(GgufType::F64))
    fail(ErrorKind::Corrupt, "{}: metadata key {} has unknown type number {}", file, in_quotes(key), type);
  return static_cast<GgufType>(type);
}

GgufArray read_array(ByteReader& reader, const std::string& file, std::string_view key, int depth) {
  if (depth > kMaxArrayDepth)
    fail(ErrorKind::Corrupt, "{}: metadata key {} nests arrays deeper than {}", file, in_quotes(key), kMaxArrayDepth);
  GgufArray array;
  array.type = read_type(reader, file, key);
  if (array.type == GgufType::String) {
    array.count = reader.read_count(kMinStringBytes, "length of a metadata array");
    array.strings.reserve(array.count);
    for (uint64_t i = 0; i < array.count; ++i)
      array.strings.push_back(reader.read_string("string in a metadata array"));
  } else if (array.type == GgufType::Array) {
    array.count = reader.read_count(kMinArrayBytes, "length of a metadata array");
    for (uint64_t i = 0; i < array.count; ++i) array.arrays.push_back(read_array(reader, file, key, depth + 1));
  } else {
    const size_t size = element_bytes(array.type);
    array.count = reader.read_count(size, "length of a metadata array");
    array.bytes = reader.take(array.count * size, "metadata array");
  }
  return array;
}

GgufValue read_value(ByteReader& reader, const std::string& file, std::string_view key) {
  constexpr std::string_view kWhat = "metadata value";
  switch (read_type(reader, file, key)) {
    case GgufType::U8:
      return uint64_t{reader.read<uint8_t>(kWhat)};
    case GgufType::U16:
      return uint64_t{reader.read<uint16_t>(kWhat)};
    case GgufType::U32:
      return uint64_t{reader.read<uint32_t>(kWhat)};
    case GgufType::U64:
      return reader.read<uint64_t>(kWhat);
    case GgufType::I8:
      return int64_t{reader.read<int8_t>(kWhat)};
    case GgufType::I16:
      return int64_t{reader.read<int16_t>(kWhat)};
    case GgufType::I32:
      return int64_t{reader.read<int32_t>(kWhat)};
    case GgufType::I64:
      return reader.read<int64_t>(kWhat);
    case GgufType::F32:
      return reader.read<float>(kWhat);
    case GgufType::F64:
      return reader.read<double>(kWhat);
    case GgufType::Bool:
      return reader.read<uint8_t>(kWhat) != 0;
    case GgufType::String:
      return reader.read_string(kWhat);
    case GgufType::Array:
      return read_array(reader, file, key, 1);
  }
  fail(ErrorKind::Internal, "read_type let an unknown type through");
}

void check_version(ByteReader& reader, const std::string& file) {
  const auto magic = reader.read<uint32_t>("magic number");
  if (std::find(kOlderMagics.begin(), kOlderMagics.end(), magic) != kOlderMagics.end())
    fail(ErrorKind::Unsupported, "{}: a GGML file of 2023, from before GGUF; convert the model again", file);
  if (magic != kMagic) fail(ErrorKind::Corrupt, "{}: no GGUF file: it does not begin with \"GGUF\"", file);
  const auto version = reader.read<uint32_t>("version");
  if (version != 0 && (version & 0xffff) == 0)
    fail(ErrorKind::Unsupported, "{}: big-endian GGUF files are not read; convert it to little-endian", file);
  if (version != 2 && version != 3)
    fail(ErrorKind::Unsupported, "{}: GGUF version {}, expected 2 or 3; convert the model again", file, version);
}

void read_metadata(ByteReader& reader, uint64_t count, GgufMetadata& metadata) {
  const std::string& file = metadata.file();
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view key = reader.read_string("metadata key");
    if (!metadata.add(key, read_value(reader, file, key)))
      fail(ErrorKind::Corrupt, "{}: metadata key {} is there twice", file, in_quotes(key));
  }
}

// A tensor as the header describes it; its bytes are found once the whole header is read.
struct TensorEntry {
  std::string_view name;
  DType dtype;
  Shape shape;
  uint64_t offset;
};

TensorEntry read_entry(ByteReader& reader, const std::string& file) {
  TensorEntry entry;
  entry.name = reader.read_string("tensor name");
  const auto dimensions = reader.read<uint32_t>("number of dimensions");
  if (dimensions == 0 || dimensions > kMaxDimensions)
    fail(ErrorKind::Corrupt, "{}: tensor {} has {} dimensions, expected 1 to {}", file, in_quotes(entry.name),
         dimensions, kMaxDimensions);
  for (uint32_t i = 0; i < dimensions; ++i) {
    const auto extent = reader.read<uint64_t>("tensor extent");
    if (extent == 0 || extent > INT64_MAX)
      fail(ErrorKind::Corrupt, "{}: tensor {} has an extent of {}, expected 1 to 2^63 - 1", file, in_quotes(entry.name),
           extent);
    entry.shape.insert(entry.shape.begin(), static_cast<int64_t>(extent));
  }
  entry.dtype = dtype_of(reader.read<uint32_t>("tensor type"), file, entry.name);
  entry.offset = reader.read<uint64_t>("tensor offset");
  return entry;
}

int64_t read_alignment(const GgufMetadata& metadata) {
  const int64_t alignment = metadata.integer("general.alignment").value_or(kDefaultAlignment);
  if (alignment < 1 || alignment > kMaxAlignment || !std::has_single_bit(static_cast<uint64_t>(alignment)))
    fail(ErrorKind::Corrupt, "{}: general.alignment is {}, expected a power of two up to {}", metadata.file(),
         alignment, kMaxAlignment);
  return alignment;
}

TensorView place(const TensorEntry& entry, std::span<const std::byte> data, int64_t alignment,
                 const std::string& file) {
  const auto bytes = static_cast<uint64_t>(checked_tensor_bytes(entry.dtype, entry.shape, file, entry.name));
  if (entry.offset % static_cast<uint64_t>(alignment) != 0)
    fail(ErrorKind::Corrupt, "{}: tensor {} is at offset {}, not a multiple of the alignment {}", file,
         in_quotes(entry.name), entry.offset, alignment);
  if (entry.offset > data.size() || bytes > data.size() - entry.offset)
    fail(ErrorKind::Corrupt,
         "{}: tensor {} takes {} bytes at offset {}, but the file has {} bytes of data (is it truncated? fetch it "
         "again)",
         file, in_quotes(entry.name), bytes, entry.offset, data.size());
  return {entry.dtype, entry.shape, data.subspan(static_cast<size_t>(entry.offset), static_cast<size_t>(bytes))};
}

}  // namespace

bool is_gguf(std::span<const std::byte> bytes) {
  uint32_t magic = 0;
  if (bytes.size() >= sizeof(magic)) std::memcpy(&magic, bytes.data(), sizeof(magic));
  return magic == kMagic;
}

GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& file) {
  ByteReader reader(bytes, file);
  check_version(reader, file);
  const uint64_t num_tensors = reader.read_count(kMinTensorBytes, "number of tensors");
  const uint64_t num_keys = reader.read_count(kMinKeyBytes, "number of metadata keys");

  GgufContents contents{GgufMetadata(file), {}};
  read_metadata(reader, num_keys, contents.metadata);
  const int64_t alignment = read_alignment(contents.metadata);
  std::vector<TensorEntry> entries;
  entries.reserve(num_tensors);
  for (uint64_t i = 0; i < num_tensors; ++i) entries.push_back(read_entry(reader, file));

  const size_t padding = -reader.position() & static_cast<size_t>(alignment - 1);
  const std::span<const std::byte> data = bytes.subspan(reader.position() + std::min(padding, reader.remaining()));
  std::vector<Extent> extents;
  for (const TensorEntry& entry : entries) {
    const TensorView view = place(entry, data, alignment, file);
    extents.push_back({entry.offset, entry.offset + view.bytes.size(), entry.name});
    if (!contents.tensors.emplace(entry.name, view).second)
      fail(ErrorKind::Corrupt, "{}: tensor {} is there twice", file, in_quotes(entry.name));
  }
  check_no_overlap(std::move(extents), file);
  return contents;
}

}  // namespace cleave::ckpt
