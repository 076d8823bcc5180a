#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cleave::inference {

/// How the vectors of a text's tokens become one (sentence-transformers' Pooling module).
enum class PoolingMode : uint8_t {
  Cls,           // that of the first token
  Max,           // the largest number of each dimension
  Mean,          // the mean
  MeanSqrt,      // the sum, divided by the square root of the number of tokens
  WeightedMean,  // the mean in which token i, from 1, counts i times
  Last,          // that of the last token
};

/// Pools the vectors of one text as they come, in pieces, so that they need not be kept. Used by one thread.
class Pooler {
 public:
  /// `tokens` vectors of `width` numbers will come, of which the first `left_out` do not count. REQUIRES: left_out <
  /// tokens.
  Pooler(std::span<const PoolingMode> modes, int64_t width, int64_t tokens, int64_t left_out);

  /// Whether token number `index` is needed for the result.
  bool needs(int64_t index) const;

  /// Takes the vector of token number `index`. Those that are needed come once each, in order.
  void add(int64_t index, std::span<const float> vector);

  /// The results of all modes, one after another.
  std::vector<float> result() const;

 private:
  void add_to(size_t mode, int64_t index, std::span<const float> vector);

  std::vector<PoolingMode> modes_;
  int64_t width_, tokens_, left_out_;
  std::vector<double> sums_;  // [modes][width]; of Max the largest so far
};

}  // namespace cleave::inference
