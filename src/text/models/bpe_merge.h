#pragma once

#include <cstdint>
#include <vector>

#include "text/models/merge_table.h"

namespace cleave::text {

/// Byte-pair encoding proper (Sennrich et al. 2016): replaces the neighbouring pair of lowest rank, the leftmost of
/// several, by the token they form, until no pair merges.

/// By scanning for the best pair: quadratic, and the fastest for words.
void merge_by_scan(std::vector<int32_t>& ids, const MergeTable& merges);

/// By a queue of positions per rank over a linked list: linear but for the look-up of ranks, for whatever is longer.
/// REQUIRES: fewer than 2^32 - 1 ids, and no two pairs of one rank.
void merge_by_rank(std::vector<int32_t>& ids, const MergeTable& merges);

/// By a heap of all pairs over a linked list: n log n, for pairs that share ranks.
/// REQUIRES: fewer than 2^32 - 1 ids.
void merge_by_heap(std::vector<int32_t>& ids, const MergeTable& merges);

/// Whichever is faster; the second where pairs share ranks.
void merge_all(std::vector<int32_t>& ids, const MergeTable& merges);
void merge_all_sharing_ranks(std::vector<int32_t>& ids, const MergeTable& merges);

}  // namespace cleave::text
