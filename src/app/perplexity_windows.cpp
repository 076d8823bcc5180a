#include "app/perplexity_windows.h"

#include <algorithm>
#include <cmath>

namespace cleave::app {

std::vector<TextWindow> text_windows(int64_t tokens, int64_t context, std::optional<int64_t> stride) {
  std::vector<TextWindow> windows;
  if (!stride) {
    for (int64_t begin = 0; begin + context <= tokens; begin += context)
      windows.push_back({begin, begin + context, begin + context / 2 + 1});
    return windows;
  }
  int64_t counted = 1;  // nothing precedes the first token
  for (int64_t begin = 0; counted < tokens; begin += *stride) {
    const int64_t end = std::min(begin + context, tokens);
    windows.push_back({begin, end, std::max(counted, begin + 1)});
    counted = end;
  }
  return windows;
}

double Nll::perplexity() const {
  return std::exp(mean());
}

double Nll::standard_error() const {
  if (count_ < 2) return 0;
  const double variance = squares_ / static_cast<double>(count_) - mean() * mean();
  return std::sqrt(std::max(0.0, variance) / static_cast<double>(count_ - 1));
}

}  // namespace cleave::app
