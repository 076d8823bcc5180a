#include "ckpt/gguf/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <variant>

#include "base/error.h"

namespace cleave::ckpt {
namespace {

// No model has a dimension beyond this; larger values are damage.
constexpr int64_t kMaxInteger = std::numeric_limits<int32_t>::max();

void check_range(const std::string& file, const std::string& key, int64_t value) {
  if (value < 0 || value > kMaxInteger)
    fail(ErrorKind::Corrupt, "{}: {} is {}, expected 0 to {}", file, key, value, kMaxInteger);
}

// The list of a key that has one; booleans count as 0 and 1.
std::optional<std::vector<int64_t>> list_of(const GgufMetadata& metadata, const std::string& key) {
  const auto found = metadata.values().find(key);
  if (found == metadata.values().end()) return std::nullopt;
  const auto* array = std::get_if<GgufArray>(&found->second);
  if (array == nullptr) return std::nullopt;
  if (array->type != GgufType::Bool) return metadata.integers(key);
  std::vector<int64_t> values;
  for (const std::byte value : array->bytes) values.push_back(value != std::byte{0});
  return values;
}

}  // namespace

double shortest(double value) {
  const auto narrow = static_cast<float>(value);
  return static_cast<double>(narrow) == value ? std::strtod(fmt::format("{}", narrow).c_str(), nullptr) : value;
}

std::string GgufKeys::key(std::string_view suffix) const {
  return fmt::format("{}.{}", architecture_.name, suffix);
}

std::optional<int64_t> GgufKeys::integer(std::string_view suffix) const {
  const std::string name = key(suffix);
  std::optional<int64_t> value;
  if (const auto values = list_of(contents_.metadata, name)) {
    for (const int64_t each : *values) check_range(file(), name, each);
    const auto [least, most] = std::minmax_element(values->begin(), values->end());
    if (values->empty() || (*least != *most && !architecture_.may_vary(suffix)))
      fail(ErrorKind::Unsupported, "{}: {} differs between layers, which Cleave does not read", file(), name);
    value = *most;
  } else {
    value = contents_.metadata.integer(name);
  }
  if (value) check_range(file(), name, *value);
  return value;
}

int64_t GgufKeys::required(std::string_view suffix) const {
  const std::optional<int64_t> value = integer(suffix);
  if (value.value_or(0) == 0)
    fail(ErrorKind::Corrupt, "{}: metadata key {} is {}", file(), key(suffix), value ? "0" : "missing");
  return *value;
}

std::optional<double> GgufKeys::number(std::string_view suffix) const {
  return contents_.metadata.number(key(suffix));
}

std::optional<bool> GgufKeys::boolean(std::string_view suffix) const {
  return contents_.metadata.boolean(key(suffix));
}

std::optional<std::string_view> GgufKeys::string(std::string_view suffix) const {
  return contents_.metadata.string(key(suffix));
}

std::optional<std::vector<int64_t>> GgufKeys::per_layer(std::string_view suffix, int64_t layers) const {
  const std::string name = key(suffix);
  auto values = list_of(contents_.metadata, name);
  if (!values) {
    const std::optional<int64_t> value = integer(suffix);
    if (!value) return std::nullopt;
    return std::vector<int64_t>(static_cast<size_t>(layers), *value);
  }
  if (static_cast<int64_t>(values->size()) < layers)
    fail(ErrorKind::Corrupt, "{}: {} has {} values for {} layers", file(), name, values->size(), layers);
  for (const int64_t value : *values) check_range(file(), name, value);
  values->resize(static_cast<size_t>(layers));
  return values;
}

}  // namespace cleave::ckpt
