#include "app/bench/flags.h"

namespace cleave::app {
int bench_kernels(const BenchFlags&) {
  return 0;
}
}  // namespace cleave::app
