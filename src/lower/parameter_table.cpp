#include "lower/parameter_table.h"

#include <functional>

namespace cleave::lower {
namespace {

void mix(size_t& hash, size_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
}

// Views that are equal have equal hashes; few others do.
size_t hash_of(const Parameter& parameter) {
  auto hash = static_cast<size_t>(parameter.use);
  for (const int64_t extent : parameter.view.shape) mix(hash, static_cast<size_t>(extent));
  mix(hash, parameter.view.pieces.size());
  if (parameter.view.pieces.empty()) return hash;
  const Piece& first = parameter.view.pieces.front();
  mix(hash, std::hash<std::string>()(first.tensor));
  mix(hash, static_cast<size_t>(first.offset));
  return hash;
}

bool same_numbers(const Parameter& a, const Parameter& b) {
  return a.use == b.use && a.of_expert == b.of_expert && a.view == b.view;
}

}  // namespace

int32_t ParameterTable::add(Parameter parameter) {
  const size_t hash = hash_of(parameter);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto found = first; found != last; ++found) {
    Parameter& known = (*this)[found->second];
    if (!same_numbers(known, parameter)) continue;
    known.selects_experts = known.selects_experts || parameter.selects_experts;
    known.head = known.head || parameter.head;
    known.is_copy = known.is_copy && parameter.is_copy;
    return found->second;
  }
  const auto index = static_cast<int32_t>(parameters_.size());
  parameters_.push_back(std::move(parameter));
  by_hash_.emplace(hash, index);
  return index;
}

}  // namespace cleave::lower
