#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
#include "kernels/matrix/weight_arena.h"
#include "lower/program.h"
#include "runtime/device/device.h"
#include "runtime/device/options.h"
#include "runtime/device/packed_part.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime::cpu {

/// Packs the rows of a matrix with all threads of the pool, into memory of the arena. The files' pages are let go as
/// they are done with. Throws Error.
std::unique_ptr<kernels::Matrix> load_matrix(const WeightRows& rows, const lower::Parameter& parameter,
                                             const Options& options, kernels::WeightArena& arena, ThreadPool& pool);

/// The matrix that load_matrix() would make, out of an arena that holds it packed. Throws Error(Corrupt) where that is
/// too small.
std::unique_ptr<kernels::Matrix> packed_matrix(const RowLayout& rows, const lower::Parameter& parameter,
                                               const Options& options, kernels::WeightArena& arena, ThreadPool& pool);

/// The packed matrices of a part, copied into memory by all threads of the pool. Throws Error(Corrupt) where the part's
/// checksum is wrong.
Buffer copy_packed(const PackedPart& part, ThreadPool& pool, const Progress& progress);

/// Bytes that load_matrix() will make of rows.
int64_t packed_matrix_bytes(const RowLayout& rows, const lower::Parameter& parameter, const Options& options);

/// The rows of a table where they lie in the checkpoint's mapping, or else copied into `memory`.
TensorView load_table(const WeightRows& rows, Buffer& memory);

/// The numbers of a vector, after the functions that the model's definition applies to it.
std::vector<float> load_vector(const WeightRows& rows, const lower::Parameter& parameter, ThreadPool& pool);

}  // namespace cleave::runtime::cpu
