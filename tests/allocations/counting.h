#pragma once

#include <cstddef>
#include <string>

namespace cleave {

/// Counts calls of malloc and its relatives (operator new among them) and of mmap on every thread of the process, from
/// its construction on. One at a time.
class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  size_t count() const;
  /// Where the first one came from: a line per call, as backtrace_symbols() writes it. Ends counting.
  std::string first() const;
};

}  // namespace cleave
