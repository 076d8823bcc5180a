#include "ckpt/safetensors.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/safetensors_header.h"
#include "ckpt/tensors/byte_reader.h"
#include "ckpt/tensors/layout.h"

namespace cleave::ckpt {
namespace {

// The limit of the format's own implementation. The largest public models have headers of a few megabytes.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

void check_size(const HeaderEntry& entry, const std::string& file) {
  const auto wanted = static_cast<uint64_t>(checked_tensor_bytes(entry.dtype, entry.shape, file, entry.name));
  if (entry.begin > entry.end || entry.end - entry.begin != wanted)
    fail(ErrorKind::Corrupt, "{}: tensor {} of type {} and shape {} takes {} bytes, but its data_offsets are [{}, {}]",
         file, in_quotes(entry.name), to_string(entry.dtype), to_string(entry.shape), wanted, entry.begin, entry.end);
}

void check_place(const HeaderEntry& entry, size_t data_bytes, const std::string& file) {
  if (entry.begin > entry.end)
    fail(ErrorKind::Corrupt, "{}: tensor {} has the data_offsets [{}, {}], which end before they begin", file,
         in_quotes(entry.name), entry.begin, entry.end);
  if (entry.end > data_bytes)
    fail(ErrorKind::Corrupt,
         "{}: tensor {} ends at byte {} of the data, but the file has only {} (is the file truncated? fetch it again)",
         file, in_quotes(entry.name), entry.end, data_bytes);
}

// Adds a tensor with all checks that need the file.
void add(const HeaderEntry& entry, std::span<const std::byte> data, const std::string& file,
         SafetensorsContents& contents) {
  const bool read = entry.unread_type.empty();
  if (read) check_size(entry, file);
  check_place(entry, data.size(), file);
  const auto begin = static_cast<size_t>(entry.begin), bytes = static_cast<size_t>(entry.end - entry.begin);
  if (contents.tensors.contains(entry.name) || contents.unread.contains(entry.name))
    fail(ErrorKind::Corrupt, "{}: header names tensor {} twice", file, in_quotes(entry.name));
  if (read)
    contents.tensors.emplace(entry.name, TensorView{entry.dtype, entry.shape, data.subspan(begin, bytes)});
  else
    contents.unread.emplace(entry.name, TensorInfo{DType::U8, entry.shape, entry.unread_type});
}

}  // namespace

SafetensorsContents parse_safetensors(std::span<const std::byte> bytes, const std::string& file) {
  ByteReader reader(bytes, file);
  const auto header_bytes = reader.read<uint64_t>("header length");
  if (header_bytes > kMaxHeaderBytes || header_bytes > reader.remaining())
    fail(ErrorKind::Corrupt,
         "{}: header length {} exceeds {} (the file has {} bytes; is it truncated or no safetensors file?)", file,
         header_bytes, std::min<uint64_t>(kMaxHeaderBytes, reader.remaining()), bytes.size());
  const std::span<const std::byte> text = reader.take(header_bytes, "header");
  SafetensorsHeader header = parse_safetensors_header({reinterpret_cast<const char*>(text.data()), text.size()}, file);

  SafetensorsContents contents;
  contents.metadata = std::move(header.metadata);
  std::vector<Extent> extents;
  extents.reserve(header.entries.size());
  for (const HeaderEntry& entry : header.entries) {
    add(entry, bytes.subspan(reader.position()), file, contents);
    extents.push_back({entry.begin, entry.end, entry.name});
  }
  check_no_overlap(std::move(extents), file);
  return contents;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(path), contents_(parse_safetensors(file_.bytes(), path.string())) {}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = contents_.tensors.find(name);
  return found == contents_.tensors.end() ? nullptr : &found->second;
}

}  // namespace cleave::ckpt
