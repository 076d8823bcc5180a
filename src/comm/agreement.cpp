#include "comm/agreement.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace cleave::comm {
namespace {

// What each rank says, [ranks].
template <class T>
std::vector<T> gather_everywhere(Communicator& communicator, const T& own) {
  std::vector<T> all(static_cast<size_t>(communicator.size()));
  communicator.all_gather(&own, all.data(), std::vector<int64_t>(all.size(), sizeof(T)));
  return all;
}

}  // namespace

void require_equal(Communicator& communicator, uint64_t hash, std::string_view what) {
  const std::vector<uint64_t> hashes = gather_everywhere(communicator, hash);
  std::vector<std::string> differing;
  for (size_t rank = 1; rank < hashes.size(); ++rank)
    if (hashes[rank] != hashes[0]) differing.push_back(std::to_string(rank));
  if (differing.empty()) return;
  fail(ErrorKind::Comm, "{} differ from rank 0's on rank{} {}: start every rank with the same program, model and flags",
       what, differing.size() > 1 ? "s" : "", join(differing, ", "));
}

Part agree_on_part(Communicator& group, int color, int proposed_number) {
  struct Wish {
    int color = 0, number = 0;
  };
  const std::vector<Wish> wishes = gather_everywhere(group, Wish{color, proposed_number});
  Part part;
  for (int rank = 0; rank < group.size(); ++rank) {
    const Wish& wish = wishes[static_cast<size_t>(rank)];
    part.number = std::max(part.number, wish.number);
    if (color >= 0 && wish.color == color) part.members.push_back(rank);
  }
  return part;
}

}  // namespace cleave::comm
