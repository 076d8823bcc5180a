#pragma once

#include <cstdint>
#include <memory>

#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
#include "kernels/matrix/weight_arena.h"
#include "lower/program.h"
#include "runtime/device/options.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime::cpu {

/// Packs the rows of a matrix with all threads of the pool, into memory of the arena. The files' pages are let go as
/// they are done with. Throws Error.
std::unique_ptr<kernels::Matrix> load_matrix(const WeightRows& rows, const lower::Parameter& parameter,
                                             const Options& options, kernels::WeightArena& arena, ThreadPool& pool);

/// What the parameter will take in memory, a table also where it could stay in its file.
int64_t packed_bytes(const WeightRows& rows, const lower::Parameter& parameter, const Options& options);

}  // namespace cleave::runtime::cpu
