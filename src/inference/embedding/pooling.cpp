#include "inference/embedding/pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace cleave::inference {

Pooler::Pooler(std::span<const PoolingMode> modes, int64_t width, int64_t tokens, int64_t left_out)
    : modes_(modes.begin(), modes.end()), width_(width), tokens_(tokens), left_out_(left_out) {
  CHECK_LT(left_out, tokens);
  for (const PoolingMode mode : modes_) {
    const double first = mode == PoolingMode::Max ? -std::numeric_limits<double>::infinity() : 0;
    sums_.insert(sums_.end(), static_cast<size_t>(width), first);
  }
}

// The first and the last token are those of the whole text, whatever is left out.
bool Pooler::needs(int64_t index) const {
  return std::ranges::any_of(modes_, [&](PoolingMode mode) {
    if (mode == PoolingMode::Cls) return index == 0;
    if (mode == PoolingMode::Last) return index == tokens_ - 1;
    return index >= left_out_;
  });
}

void Pooler::add(int64_t index, std::span<const float> vector) {
  CHECK_EQ(static_cast<int64_t>(vector.size()), width_);
  for (size_t mode = 0; mode < modes_.size(); ++mode) add_to(mode, index, vector);
}

void Pooler::add_to(size_t mode, int64_t index, std::span<const float> vector) {
  double* sums = sums_.data() + mode * static_cast<size_t>(width_);
  const PoolingMode kind = modes_[mode];
  const bool single = kind == PoolingMode::Cls || kind == PoolingMode::Last;
  const int64_t wanted = kind == PoolingMode::Cls ? 0 : tokens_ - 1;
  if (single ? index != wanted : index < left_out_) return;
  const double weight = kind == PoolingMode::WeightedMean ? static_cast<double>(index + 1) : 1;
  for (size_t i = 0; i < vector.size(); ++i)
    sums[i] = kind == PoolingMode::Max ? std::max<double>(sums[i], vector[i]) : sums[i] + weight * vector[i];
}

std::vector<float> Pooler::result() const {
  const auto count = static_cast<double>(tokens_ - left_out_);
  const double weights = count * static_cast<double>(tokens_ + left_out_ + 1) / 2;  // of positions from left_out + 1 on
  std::vector<float> result;
  for (size_t i = 0; i < sums_.size(); ++i) {
    const PoolingMode mode = modes_[i / static_cast<size_t>(width_)];
    const double divisor = mode == PoolingMode::Mean           ? count
                           : mode == PoolingMode::MeanSqrt     ? std::sqrt(count)
                           : mode == PoolingMode::WeightedMean ? weights
                                                               : 1;
    result.push_back(static_cast<float>(sums_[i] / divisor));
  }
  return result;
}

}  // namespace cleave::inference
