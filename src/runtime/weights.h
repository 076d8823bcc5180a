#pragma once

#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "ckpt/checkpoint.h"
#include "lower/program.h"
#include "runtime/model.h"

namespace cleave::runtime {

/// A parameter ready for use; which member holds it depends on its use.
struct LoadedParameter {
  std::unique_ptr<kernels::Matrix> matrix;
  TensorView table;           // rows in the checkpoint's mapping or in `memory`
  std::vector<float> vector;  // row-major
  Buffer memory;
};

/// Reads and packs all parameters of a program, each with all threads of the pool. The files' pages are let go as they
/// are done with. Throws Error.
std::vector<LoadedParameter> load_parameters(const ckpt::Checkpoint& checkpoint, const lower::Program& program,
                                             const Options& options, ThreadPool& pool, const Progress& progress);

/// Bytes that the parameters keep in memory, tables in the files not counted.
int64_t resident_bytes(const std::vector<LoadedParameter>& parameters);

}  // namespace cleave::runtime
