#include "ckpt/safetensors.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "ckpt/byte_reader.h"
#include "ckpt/in_quotes.h"
#include "ckpt/layout.h"

namespace cleave::ckpt {
namespace {

// The limit of the format's own implementation. The largest public models have headers of a few megabytes.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

// Levels of JSON: the header, a tensor, its shape. Whatever lies deeper is no safetensors header.
constexpr int kMaxDepth = 3;

constexpr size_t kMaxDimensions = 16;

// Parses the header and refuses what JSON allows but would hide a tensor: the same key twice in an object.
Json parse_header(std::string_view text, const std::string& file) {
  std::array<std::set<std::string>, kMaxDepth + 2> keys;  // seen so far in the object whose members have that depth
  const auto check = [&](int depth, Json::parse_event_t event, const Json& value) {
    if (depth > kMaxDepth) fail(ErrorKind::Corrupt, "{}: header nested deeper than {} levels", file, kMaxDepth);
    const auto level = static_cast<size_t>(depth);
    if (event == Json::parse_event_t::object_start) keys[level + 1].clear();
    if (event == Json::parse_event_t::key && !keys[level].insert(value.get<std::string>()).second)
      fail(ErrorKind::Corrupt, "{}: header names {} twice", file, in_quotes(value.get_ref<const std::string&>()));
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    fail(ErrorKind::Corrupt, "{}: header is not valid JSON: {}", file, error.what());
  }
}

// One entry of the header, with all its checks.
class EntryReader {
 public:
  EntryReader(std::span<const std::byte> data, const std::string& file) : data_(data), file_(file) {}

  TensorView read(const std::string& name, const Json& entry, std::vector<Extent>& extents) const {
    if (!entry.is_object()) refuse(name, "entry", entry, "an object");
    TensorView view;
    view.dtype = read_dtype(name, member(name, entry, "dtype"));
    view.shape = read_shape(name, member(name, entry, "shape"));
    const auto [begin, end] = read_offsets(name, member(name, entry, "data_offsets"));
    const int64_t wanted = checked_tensor_bytes(view.dtype, view.shape, file_, name);
    if (end - begin != static_cast<uint64_t>(wanted))
      fail(ErrorKind::Corrupt,
           "{}: tensor {} of type {} and shape {} takes {} bytes, but its data_offsets [{}, {}] span {}", file_,
           in_quotes(name), to_string(view.dtype), to_string(view.shape), wanted, begin, end, end - begin);
    view.bytes = data_.subspan(static_cast<size_t>(begin), static_cast<size_t>(wanted));
    extents.push_back({begin, end, name});
    return view;
  }

 private:
  [[noreturn]] void refuse(const std::string& name, std::string_view what, const Json& seen,
                           std::string_view wanted) const {
    fail(ErrorKind::Corrupt, "{}: tensor {} has {} {}, expected {}", file_, in_quotes(name), what,
         in_quotes(seen.dump(-1, ' ', true, Json::error_handler_t::replace)), wanted);
  }

  const Json& member(const std::string& name, const Json& entry, const char* key) const {
    const auto found = entry.find(key);
    if (found == entry.end()) fail(ErrorKind::Corrupt, "{}: tensor {} has no {}", file_, in_quotes(name), key);
    return *found;
  }

  DType read_dtype(const std::string& name, const Json& value) const {
    if (!value.is_string()) refuse(name, "dtype", value, "a string");
    const std::optional<DType> dtype = dtype_from_name(value.get_ref<const std::string&>());
    if (!dtype || is_block(*dtype))
      fail(ErrorKind::Unsupported, "{}: tensor {} has dtype {}, which Cleave does not read", file_, in_quotes(name),
           in_quotes(value.get_ref<const std::string&>()));
    return *dtype;
  }

  Shape read_shape(const std::string& name, const Json& value) const {
    if (!value.is_array() || value.size() > kMaxDimensions)
      refuse(name, "shape", value, fmt::format("an array of at most {} numbers", kMaxDimensions));
    Shape shape;
    for (const Json& extent : value) {
      if (!extent.is_number_unsigned() || extent.get<uint64_t>() > INT64_MAX)
        refuse(name, "shape", value, "extents from 0 to 2^63 - 1");
      shape.push_back(extent.get<int64_t>());
    }
    return shape;
  }

  std::pair<uint64_t, uint64_t> read_offsets(const std::string& name, const Json& value) const {
    if (!value.is_array() || value.size() != 2 || !value[0].is_number_unsigned() || !value[1].is_number_unsigned())
      refuse(name, "data_offsets", value, "an array of two byte offsets");
    const auto begin = value[0].get<uint64_t>();
    const auto end = value[1].get<uint64_t>();
    if (begin > end) refuse(name, "data_offsets", value, "the first not after the second");
    if (end > data_.size())
      fail(
          ErrorKind::Corrupt,
          "{}: tensor {} ends at byte {} of the data, but the file has only {} (is the file truncated? fetch it again)",
          file_, in_quotes(name), end, data_.size());
    return {begin, end};
  }

  std::span<const std::byte> data_;
  const std::string& file_;
};

void read_metadata(const Json& value, SafetensorsContents& contents, const std::string& file) {
  if (!value.is_object()) fail(ErrorKind::Corrupt, "{}: __metadata__ is no object", file);
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) fail(ErrorKind::Corrupt, "{}: __metadata__ {} is no string", file, in_quotes(key));
    contents.metadata.emplace(key, text.get<std::string>());
  }
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
  const Json header = parse_header({reinterpret_cast<const char*>(text.data()), text.size()}, file);
  if (!header.is_object()) fail(ErrorKind::Corrupt, "{}: header is no JSON object", file);

  SafetensorsContents contents;
  std::vector<Extent> extents;
  const EntryReader entries(bytes.subspan(reader.position()), file);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__")
      read_metadata(entry, contents, file);
    else
      contents.tensors.emplace(name, entries.read(name, entry, extents));
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
