#include "text/models/bpe_merge.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <queue>
#include <unordered_map>

#include "base/check.h"

namespace cleave::text {
namespace {

// The number of symbols up to which the scan is the fastest: each of its arrays fits into two cache lines.
constexpr size_t kScanLimit = 40;
constexpr uint32_t kNoMerge = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

constexpr int32_t kDead = -1;  // marks a symbol that was merged into its left neighbour

// A linked list of the symbols that are not dead.
class SymbolList {
 public:
  explicit SymbolList(std::vector<int32_t>& ids) : ids_(ids), next_(ids.size()), previous_(ids.size()) {
    CHECK_LT(ids.size(), size_t{kNone});
    const auto count = static_cast<uint32_t>(ids.size());
    for (uint32_t i = 0; i < count; ++i) {
      next_[i] = i + 1 < count ? i + 1 : kNone;
      previous_[i] = i > 0 ? i - 1 : kNone;
    }
  }

  /// What the symbol and the one behind it merge into; nullptr where there is no such pair any more.
  const Merge* merge_at(uint32_t position, const MergeTable& merges) const {
    if (position == kNone || ids_[position] == kDead || next_[position] == kNone) return nullptr;
    return merges.find(ids_[position], ids_[next_[position]]);
  }
  uint32_t previous(uint32_t position) const { return previous_[position]; }

  void take_in_next(uint32_t position, int32_t id) {
    const uint32_t taken = next_[position];
    ids_[position] = id;
    ids_[taken] = kDead;
    next_[position] = next_[taken];
    if (next_[taken] != kNone) previous_[next_[taken]] = position;
  }

 private:
  std::vector<int32_t>& ids_;       // [symbols]
  std::vector<uint32_t> next_;      // [symbols]
  std::vector<uint32_t> previous_;  // [symbols]
};

// The linked list of symbols, with the pairs in it that may merge ordered by rank and then by position. The positions
// of one rank nearly always arrive in order, because merges go from left to right.
class RankQueue {
 public:
  RankQueue(std::vector<int32_t>& ids, const MergeTable& merges) : ids_(ids), merges_(merges), symbols_(ids) {
    for (uint32_t i = 0; i < ids.size(); ++i) enqueue(i);
  }

  void run() {
    while (!ranks_.empty()) {
      const uint32_t rank = ranks_.top();
      Bucket& bucket = buckets_.at(rank);
      drain(rank, bucket);
      if (ranks_.top() != rank) continue;  // a lower rank has got a pair, and this rank continues behind it
      ranks_.pop();
      recent_[rank % recent_.size()].bucket = nullptr;
      buckets_.erase(rank);
    }
    std::erase(ids_, kDead);
  }

 private:
  struct Bucket {
    std::vector<uint32_t> positions;  // of the left symbols; those before `taken` are done
    size_t taken = 0;
    bool sorted = true;
  };

  void enqueue(uint32_t position) {
    const Merge* merge = symbols_.merge_at(position, merges_);
    if (merge == nullptr) return;
    Bucket& bucket = bucket_of(merge->rank);
    if (!bucket.positions.empty() && position < bucket.positions.back()) bucket.sorted = false;
    bucket.positions.push_back(position);
  }

  // Remembers the buckets of recent ranks, because a long piece is often one character over and over, whose pairs
  // alternate between two ranks.
  Bucket& bucket_of(uint32_t rank) {
    Recent& recent = recent_[rank % recent_.size()];
    if (recent.bucket != nullptr && recent.rank == rank) return *recent.bucket;
    const auto [found, is_new] = buckets_.try_emplace(rank);
    if (is_new) ranks_.push(rank);
    recent = {rank, &found->second};
    return found->second;
  }

  // Merges the pairs of a rank until they are done or a lower rank has a pair.
  void drain(uint32_t rank, Bucket& bucket) {
    if (!bucket.sorted) {
      std::sort(bucket.positions.begin() + static_cast<std::ptrdiff_t>(bucket.taken), bucket.positions.end());
      bucket.sorted = true;
    }
    while (bucket.taken < bucket.positions.size() && ranks_.top() == rank) {
      const uint32_t position = bucket.positions[bucket.taken++];
      const Merge* merge = symbols_.merge_at(position, merges_);
      if (merge == nullptr || merge->rank != rank) continue;  // a neighbour has changed since
      symbols_.take_in_next(position, merge->id);
      enqueue(symbols_.previous(position));
      enqueue(position);
    }
  }

  std::vector<int32_t>& ids_;  // [symbols]
  const MergeTable& merges_;
  SymbolList symbols_;
  std::unordered_map<uint32_t, Bucket> buckets_;
  struct Recent {
    uint32_t rank = 0;
    Bucket* bucket = nullptr;
  };
  std::array<Recent, 8> recent_;                                                // [rank % 8]: the bucket found last
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ranks_;  // each rank that has a bucket, once
};

}  // namespace

void merge_by_scan(std::vector<int32_t>& ids, const MergeTable& merges) {
  std::vector<Merge> best(ids.size(), Merge{kNoMerge, 0});  // [i]: the merge of symbols i and i + 1
  const auto look_up = [&](size_t i) {
    const Merge* merge = i + 1 < ids.size() ? merges.find(ids[i], ids[i + 1]) : nullptr;
    best[i] = merge != nullptr ? *merge : Merge{kNoMerge, 0};
  };
  for (size_t i = 0; i < ids.size(); ++i) look_up(i);
  while (ids.size() > 1) {
    const auto lowest = std::min_element(best.begin(), best.end(), [](Merge a, Merge b) { return a.rank < b.rank; });
    if (lowest->rank == kNoMerge) return;
    const auto i = static_cast<size_t>(lowest - best.begin());
    ids[i] = lowest->id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    best.erase(lowest + 1);
    look_up(i);
    if (i > 0) look_up(i - 1);
  }
}

void merge_by_rank(std::vector<int32_t>& ids, const MergeTable& merges) {
  RankQueue(ids, merges).run();
}

void merge_by_heap(std::vector<int32_t>& ids, const MergeTable& merges) {
  SymbolList symbols(ids);
  // The rank in the upper half, the position in the lower one.
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> pairs;
  const auto enqueue = [&](uint32_t position) {
    if (const Merge* merge = symbols.merge_at(position, merges)) pairs.push(uint64_t{merge->rank} << 32 | position);
  };
  for (uint32_t i = 0; i < ids.size(); ++i) enqueue(i);
  while (!pairs.empty()) {
    const auto rank = static_cast<uint32_t>(pairs.top() >> 32);
    const auto position = static_cast<uint32_t>(pairs.top());
    pairs.pop();
    const Merge* merge = symbols.merge_at(position, merges);
    if (merge == nullptr || merge->rank != rank) continue;  // a neighbour has changed since
    symbols.take_in_next(position, merge->id);
    enqueue(symbols.previous(position));
    enqueue(position);
  }
  std::erase(ids, kDead);
}

void merge_all_sharing_ranks(std::vector<int32_t>& ids, const MergeTable& merges) {
  if (ids.size() <= kScanLimit) return merge_by_scan(ids, merges);
  merge_by_heap(ids, merges);
}

void merge_all(std::vector<int32_t>& ids, const MergeTable& merges) {
  if (ids.size() <= kScanLimit) return merge_by_scan(ids, merges);
  merge_by_rank(ids, merges);
}

}  // namespace cleave::text
