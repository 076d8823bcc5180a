#include "define/completion.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace cleave::define {
namespace {

constexpr int64_t kMaxLayers = 10'000;
constexpr int64_t kMaxInteger = int64_t{1} << 31;  // products of two stay within int64
constexpr size_t kShownCharacters = 60;

}  // namespace

bool Completion::has(std::string_view key) const {
  const auto found = config_.find(key);
  return found != config_.end() && !found->is_null();
}

bool Completion::is_true(std::string_view key) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_boolean() && found->get<bool>();
}

int64_t Completion::integer(std::string_view key, int64_t fallback) const {
  if (!has(key)) return fallback;
  const Json& value = *config_.find(key);
  const bool fits = value.is_number_integer() && value <= kMaxInteger && value >= -kMaxInteger;
  if (!fits)
    fail(ErrorKind::Corrupt, "config: {} is {}, wanted an integer of at most {}", key, value.dump(), kMaxInteger);
  return value.get<int64_t>();
}

int64_t Completion::num_layers() const {
  const int64_t layers = integer("num_hidden_layers");
  if (layers < 0 || layers > kMaxLayers)
    fail(ErrorKind::Corrupt, "config: num_hidden_layers is {}, wanted 0 to {}", layers, kMaxLayers);
  return layers;
}

void Completion::fill(std::string_view key, Json value) {
  if (has(key) || value.is_null()) return;
  const std::string text = value.dump();
  filled_.push_back(text.size() <= kShownCharacters ? fmt::format("{} = {}", key, text)
                                                    : fmt::format("{} ({} values)", key, value.size()));
  config_[std::string(key)] = std::move(value);
}

void Completion::copy(std::string_view from, std::string_view to) {
  if (!has(to) && has(from)) config_[std::string(to)] = Json(*config_.find(from));
}

}  // namespace cleave::define
