#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/matrix/pack_options.h"
#include "kernels/simd/isa.h"
#include "plan/overrides.h"
#include "plan/plan.h"
#include "tensor/dtype.h"

namespace cleave::inference {

/// How a model computes: the precision of its weights, products and cache.
struct NumberOptions {
  bool exact = false;  // f32 throughout: slow, for comparisons
  kernels::WeightFormat weights = kernels::WeightFormat::AsStored;
  bool int8_kv = false;
  std::optional<kernels::Isa> isa = {};  // of products with matrices; nothing: the best one here

  /// Type of cached keys and values.
  DType kv_type() const { return exact ? DType::F32 : int8_kv ? DType::I8 : DType::F16; }
};

/// Weights that are made up, for a model whose config.json is all there is.
struct RandomWeights {
  DType matrices = DType::BF16;
  uint64_t seed = 1;
};

/// Which model is opened, and how.
struct ModelOptions {
  std::filesystem::path path;                           // a directory, a .gguf file, or a config.json without weights
  std::vector<std::filesystem::path> definitions = {};  // Lua files, or folders of them, beside the built-in ones
  std::optional<RandomWeights> random_weights = {};
  /// Packed weights (packed_model.h) are used where they are mapped, or copied; nothing: mapped where they lie in
  /// memory already.
  std::optional<bool> map_packed = {};
  bool list_unused = false;  // log the tensors of the checkpoint that the model does not use
};

/// What the user wants of the split, over any number of ranks.
struct SplitOptions {
  std::vector<double> rank_weights = {};  // shares of the ranks; empty: equal
  plan::Policy policy = plan::Policy::Auto;
  /// What users say about modules. The model directory's own cleave.json is added when the model is planned.
  plan::OverrideSources overrides = {};
  bool strict = false;                          // an override that matches nothing is an error
  std::optional<plan::Hardware> hardware = {};  // rates for the cost model; nothing: defaults for this many CPUs
  int threads_per_rank = 0;                     // for the cost model; 0: the CPUs of a machine, shared by its ranks
};

/// Which ranks this process has, and where they run.
struct GroupOptions {
  int ranks = 1;             // of this process
  int threads_per_rank = 1;  // or comm::kShareOfCpus (comm/world.h)
  bool pin = false;          // bind every thread to a CPU; always done where there are several NUMA nodes
  /// Join the processes that mpirun started: once in a process's life.
  bool mpi = false;
  /// With mpi, called once with the text of the first failure of any process (comm::MpiOptions::on_failure).
  std::function<void(const std::string&)> on_failure = {};
};

}  // namespace cleave::inference
