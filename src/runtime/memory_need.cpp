#include "runtime/memory_need.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/memory.h"
#include "base/strings.h"

namespace cleave::runtime {

MemoryNeed memory_need(int64_t weights) {
  MemoryNeed need{.weights = weights, .available = available_memory().value_or(INT64_MAX)};
  gethostname(need.machine, sizeof need.machine - 1);
  return need;
}

std::optional<Error> find_shortage(std::span<const MemoryNeed> ranks) {
  for (const MemoryNeed& first : ranks) {
    const std::string_view machine = first.machine;
    int64_t wanted = 0, available = INT64_MAX;
    for (const MemoryNeed& need : ranks) {
      if (need.machine != machine) continue;
      wanted += need.weights;
      available = std::min(available, need.available);
    }
    if (wanted > available)
      return Error(
          ErrorKind::Io,
          fmt::format("the weights take {} of memory on {}, which has {} left: quantise them (--weights int8 or "
                      "int4), or split the model over more machines",
                      format_bytes(static_cast<double>(wanted)), machine,
                      format_bytes(static_cast<double>(available))));
  }
  return std::nullopt;
}

}  // namespace cleave::runtime
