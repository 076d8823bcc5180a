#include <fmt/format.h>

#include "base/error.h"
#include "base/strings.h"
#include "comm/communicator.h"

namespace cleave::comm {

void require_equal(Communicator& communicator, uint64_t hash, std::string_view what) {
  const auto ranks = static_cast<size_t>(communicator.size());
  std::vector<uint64_t> hashes(ranks);
  communicator.all_gather(&hash, hashes.data(), std::vector<int64_t>(ranks, sizeof(hash)));
  std::vector<std::string> differing;
  for (size_t rank = 1; rank < ranks; ++rank)
    if (hashes[rank] != hashes[0]) differing.push_back(std::to_string(rank));
  if (differing.empty()) return;
  fail(ErrorKind::Comm, "{} differ from rank 0's on rank{} {}: start every rank with the same program, model and flags",
       what, differing.size() > 1 ? "s" : "", join(differing, ", "));
}

}  // namespace cleave::comm
