#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
#include "kernels/matrix/weight_arena.h"
#include "lower/program.h"
#include "runtime/device/device.h"

namespace cleave::runtime::cpu {

/// A parameter in memory, ready for use. Which member holds it depends on how it is used.
struct LoadedParameter {
  std::unique_ptr<kernels::Matrix> matrix;
  TensorView table;           // rows in the checkpoint's mapping or in `memory`
  std::vector<float> vector;  // row-major
  Buffer memory;

  int64_t bytes() const;  // kept in memory; a table in the files counts as none
};

/// The packed weights of one rank's part of a model: each parameter once, whatever programs use it. Read by executors
/// (executor.h), which it must outlive.
class WeightStore {
 public:
  /// Takes all parameters, and packs them unless the source has them packed, each with all threads of the pool. The
  /// files' pages are let go as they are done with; tables stay in the checkpoint's mapping where they lie there in one
  /// piece. Throws Error.
  WeightStore(WeightSource& source, std::span<const lower::Parameter> parameters, const Options& options,
              ThreadPool& pool, const Progress& progress);

  /// Writes all of it as it is packed. Throws Error(Io).
  void save(const std::filesystem::path& file, const PartIdentity& identity) const;

  /// In the order of the parameters.
  const std::vector<LoadedParameter>& parameters() const { return parameters_; }
  int64_t stored_bytes() const { return stored_bytes_; }  // of the checkpoint, that they were made of
  int64_t bytes() const;                                  // kept in memory

 private:
  void pack(WeightSource& source, std::span<const lower::Parameter> parameters, const Options& options,
            ThreadPool& pool, const Progress& progress);
  void take_packed(const WeightSource& source, std::span<const lower::Parameter> parameters, const Options& options,
                   ThreadPool& pool, const Progress& progress);

  std::shared_ptr<const PackedPart> part_;  // where the weights were packed before
  Buffer copy_;                             // of its matrices; empty where they stay mapped
  kernels::WeightArena arena_;              // of the matrices
  std::vector<RowLayout> layouts_;
  std::vector<LoadedParameter> parameters_;
  int64_t stored_bytes_;
};

/// What the parameter will take of WeightStore::bytes().
int64_t packed_bytes(const RowLayout& rows, const lower::Parameter& parameter, const Options& options);

}  // namespace cleave::runtime::cpu
