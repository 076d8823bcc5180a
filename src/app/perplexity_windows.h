#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cleave::app {

/// A part of a text that the model sees behind nothing: tokens [begin, end). Of them, [first_counted, end) are scored,
/// each by the probability that it has after the ones before it.
struct TextWindow {
  int64_t begin, end, first_counted;
  bool operator==(const TextWindow&) const = default;
};

/// Without a stride, windows follow one another and the second half of each counts, a rest that fills no window does
/// not: llama.cpp's method (tools/perplexity). With one, windows begin `stride` tokens apart and count what none before
/// has counted, which is Transformers' ("Perplexity of fixed-length models"). REQUIRES: context >= 2, 1 <= stride <=
/// context.
std::vector<TextWindow> text_windows(int64_t tokens, int64_t context, std::optional<int64_t> stride);

/// Negative logarithms of probabilities, in nats.
class Nll {
 public:
  void add(double nll) { sum_ += nll, squares_ += nll * nll, ++count_; }
  int64_t count() const { return count_; }
  double mean() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0; }
  double perplexity() const;
  /// Of the mean, as if tokens were independent; 0 for a single one.
  double standard_error() const;

 private:
  double sum_ = 0, squares_ = 0;
  int64_t count_ = 0;
};

}  // namespace cleave::app
