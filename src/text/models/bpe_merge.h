#pragma once

#include <cstdint>
#include <vector>

#include "text/models/merge_table.h"

namespace cleave::text {

// Byte-pair encoding proper (Sennrich et al. 2016): replaces the neighbouring pair of lowest rank, the leftmost of
// several, by the token that the two form, until no pair merges. All functions here give the same ids; they differ in
// speed.

/// Scans for the best pair, again and again: takes quadratic time and is the fastest for words.
void merge_by_scan(std::vector<int32_t>& ids, const MergeTable& merges);

/// Keeps a queue of positions per rank over a linked list of symbols: takes linear time but for the look-up of ranks,
/// so it serves long pieces. REQUIRES: fewer than 2^32 - 1 ids, and no two pairs of one rank.
void merge_by_rank(std::vector<int32_t>& ids, const MergeTable& merges);

/// Keeps a heap of all pairs over a linked list of symbols: takes n log n time and serves pairs that share ranks.
/// REQUIRES: fewer than 2^32 - 1 ids.
void merge_by_heap(std::vector<int32_t>& ids, const MergeTable& merges);

/// The fastest of the above for the number of ids; merge_all_sharing_ranks() if several pairs may have one rank.
void merge_all(std::vector<int32_t>& ids, const MergeTable& merges);
void merge_all_sharing_ranks(std::vector<int32_t>& ids, const MergeTable& merges);

}  // namespace cleave::text
