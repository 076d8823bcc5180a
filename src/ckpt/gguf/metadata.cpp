#include "ckpt/gguf/metadata.h"

#include <cstring>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::ckpt {
namespace {

// Calls use(element) for every element of an array of numbers or booleans, in its own type.
template <class Use>
void for_each_number(const GgufArray& array, Use use) {
  const auto visit = [&](auto zero) {
    for (uint64_t i = 0; i < array.count; ++i) {
      std::memcpy(&zero, array.bytes.data() + i * sizeof(zero), sizeof(zero));
      use(zero);
    }
  };
  switch (array.type) {
    case GgufType::U8:
    case GgufType::Bool:
      return visit(uint8_t{});
    case GgufType::I8:
      return visit(int8_t{});
    case GgufType::U16:
      return visit(uint16_t{});
    case GgufType::I16:
      return visit(int16_t{});
    case GgufType::U32:
      return visit(uint32_t{});
    case GgufType::I32:
      return visit(int32_t{});
    case GgufType::U64:
      return visit(uint64_t{});
    case GgufType::I64:
      return visit(int64_t{});
    case GgufType::F32:
      return visit(float{});
    case GgufType::F64:
      return visit(double{});
    case GgufType::String:
    case GgufType::Array:
      return;
  }
}

bool holds_numbers(GgufType type) {
  return type != GgufType::String && type != GgufType::Array;
}
bool holds_integers(GgufType type) {
  return holds_numbers(type) && type != GgufType::F32 && type != GgufType::F64 && type != GgufType::Bool;
}

}  // namespace

size_t element_bytes(GgufType type) {
  switch (type) {
    case GgufType::U8:
    case GgufType::I8:
    case GgufType::Bool:
      return 1;
    case GgufType::U16:
    case GgufType::I16:
      return 2;
    case GgufType::U32:
    case GgufType::I32:
    case GgufType::F32:
      return 4;
    case GgufType::U64:
    case GgufType::I64:
    case GgufType::F64:
      return 8;
    case GgufType::String:
    case GgufType::Array:
      return 0;
  }
  return 0;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

const GgufArray* GgufMetadata::find_array(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return nullptr;
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr) refuse(key, "an array");
  return array;
}

void GgufMetadata::refuse(std::string_view key, std::string_view wanted) const {
  fail(ErrorKind::Corrupt, "{}: metadata key {} is not {}", file_, in_quotes(key), wanted);
}

std::optional<int64_t> GgufMetadata::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* x = std::get_if<int64_t>(value)) return *x;
  const auto* x = std::get_if<uint64_t>(value);
  if (x == nullptr || *x > INT64_MAX) refuse(key, "an integer below 2^63");
  return static_cast<int64_t>(*x);
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* x = std::get_if<float>(value)) return *x;
  if (const auto* x = std::get_if<double>(value)) return *x;
  if (const auto* x = std::get_if<uint64_t>(value)) return static_cast<double>(*x);
  if (const auto* x = std::get_if<int64_t>(value)) return static_cast<double>(*x);
  refuse(key, "a number");
}

std::optional<bool> GgufMetadata::boolean(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* x = std::get_if<bool>(value)) return *x;
  refuse(key, "a boolean");
}

std::optional<std::string_view> GgufMetadata::string(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* x = std::get_if<std::string_view>(value)) return *x;
  refuse(key, "a string");
}

const std::vector<std::string_view>* GgufMetadata::strings(std::string_view key) const {
  const GgufArray* array = find_array(key);
  if (array == nullptr) return nullptr;
  if (array->type != GgufType::String) refuse(key, "an array of strings");
  return &array->strings;
}

std::optional<std::vector<int64_t>> GgufMetadata::integers(std::string_view key) const {
  const GgufArray* array = find_array(key);
  if (array == nullptr) return std::nullopt;
  if (!holds_integers(array->type)) refuse(key, "an array of integers");
  std::vector<int64_t> result;
  result.reserve(array->count);
  for_each_number(*array, [&](auto x) { result.push_back(static_cast<int64_t>(x)); });
  return result;
}

std::optional<std::vector<double>> GgufMetadata::numbers(std::string_view key) const {
  const GgufArray* array = find_array(key);
  if (array == nullptr) return std::nullopt;
  if (!holds_numbers(array->type)) refuse(key, "an array of numbers");
  std::vector<double> result;
  result.reserve(array->count);
  for_each_number(*array, [&](auto x) { result.push_back(static_cast<double>(x)); });
  return result;
}

}  // namespace cleave::ckpt
