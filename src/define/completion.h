#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cleave::define {

/// A configuration that is being completed, and what has been filled in so far. Borrows the configuration.
class Completion {
 public:
  explicit Completion(Json& config) : config_(config) {}

  Json& config() { return config_; }
  const Json& config() const { return config_; }

  /// Whether the key is there and not null.
  bool has(std::string_view key) const;
  /// Whether the key is there and true.
  bool is_true(std::string_view key) const;
  /// An integer; `fallback` where the key is absent or null. Throws Error(Corrupt) where it is something
  /// else or beyond 2^31, so that products of two are safe.
  int64_t integer(std::string_view key, int64_t fallback = 0) const;
  /// The number of layers, from 0 to 10,000, so that a list for all of them stays small. Throws Error(Corrupt).
  int64_t num_layers() const;

  /// Gives an absent or null key this value, and tells it to filled().
  void fill(std::string_view key, Json value);
  /// Gives the key this value, whatever it has, as a class does that computes it in any case.
  void force(std::string_view key, Json value) { config_[std::string(key)] = std::move(value); }
  /// An absent or null key becomes what the other one has, if that is there: another spelling, not a default.
  void copy(std::string_view from, std::string_view to);

  /// "hidden_act = silu", in the order in which they were filled in; long lists by their length.
  const std::vector<std::string>& filled() const { return filled_; }

 private:
  Json& config_;
  std::vector<std::string> filled_;
};

}  // namespace cleave::define
