#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cleave::ckpt {

/// Types of metadata values, numbered as in the file.
enum class GgufType : uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

/// An array as it lies in the file; which member is used depends on the type of its elements.
struct GgufArray {
  GgufType type = GgufType::U8;
  uint64_t count = 0;
  std::span<const std::byte> bytes;       // numbers and booleans: little-endian, unaligned
  std::vector<std::string_view> strings;  // strings: not necessarily UTF-8
  std::vector<GgufArray> arrays;
};

/// A value of the metadata. Integers keep their sign, so that every value of both 64-bit types is exact; an F32 is kept
/// as it is.
using GgufValue = std::variant<uint64_t, int64_t, float, double, bool, std::string_view, GgufArray>;

/// The metadata of a GGUF file: key -> value. Strings and arrays borrow from the file's bytes.
///
/// Accessors give nothing (nullopt, nullptr) where there is no such key, and throw Error(Corrupt) naming file and key
/// where there is one of another type.
class GgufMetadata {
 public:
  explicit GgufMetadata(std::string file) : file_(std::move(file)) {}

  bool contains(std::string_view key) const { return values_.find(key) != values_.end(); }
  const std::map<std::string, GgufValue, std::less<>>& values() const { return values_; }
  const std::string& file() const { return file_; }

  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;  // integers too
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string_view> string(std::string_view key) const;

  /// The elements of an array.
  const std::vector<std::string_view>* strings(std::string_view key) const;
  std::optional<std::vector<int64_t>> integers(std::string_view key) const;
  std::optional<std::vector<double>> numbers(std::string_view key) const;

  /// False where the key is already there.
  bool add(std::string_view key, GgufValue value) { return values_.emplace(key, std::move(value)).second; }

 private:
  const GgufValue* find(std::string_view key) const;
  const GgufArray* find_array(std::string_view key) const;
  [[noreturn]] void refuse(std::string_view key, std::string_view wanted) const;

  std::string file_;
  std::map<std::string, GgufValue, std::less<>> values_;
};

/// Bytes of one element of an array of that type; 0 for strings and arrays.
size_t element_bytes(GgufType type);

}  // namespace cleave::ckpt
