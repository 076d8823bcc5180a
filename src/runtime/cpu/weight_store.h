#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
#include "kernels/matrix/weight_arena.h"
#include "lower/program.h"
#include "runtime/device/options.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime::cpu {

/// A parameter ready for use; which member holds it depends on its use.
struct LoadedParameter {
  std::unique_ptr<kernels::Matrix> matrix;
  TensorView table;           // rows in the checkpoint's mapping or in `memory`
  std::vector<float> vector;  // row-major
  Buffer memory;
};

/// All parameters of a rank, in the order of RankPrograms, and the memory of their matrices.
struct WeightStore {
  kernels::WeightArena arena;
  std::vector<LoadedParameter> parameters;
  int64_t stored_bytes = 0;  // of the checkpoint that they were made of

  /// Bytes kept in memory, tables in the files not counted.
  int64_t resident_bytes() const;
};

/// Takes and packs all parameters of a rank, each with all threads of the pool. The files' pages are let go as they
/// are done with. Throws Error.
WeightStore load_weights(WeightSource& source, std::span<const lower::Parameter> parameters, const Options& options,
                         ThreadPool& pool, const Progress& progress);

}  // namespace cleave::runtime::cpu
