#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/split_flags.h"
#include "base/json.h"
#include "engine/sampler.h"
#include "kernels/isa.h"
#include "kernels/matrix.h"
#include "tensor/dtype.h"

namespace cleave::app {

/// Which model, and how it computes.
struct ModelFlags {
  std::filesystem::path model;
  std::vector<std::filesystem::path> definitions;  // --model-def
  int threads = 1;                                 // of this process, shared by its ranks
  bool verbose = false;
  bool exact = false;
  kernels::WeightFormat weights = kernels::WeightFormat::AsStored;
  bool int8_kv = false;
  std::optional<DType> random_weights;  // of matrices, for a model without weights
  uint64_t random_seed = 1;
  std::optional<kernels::Isa> isa;  // of matrices
  SplitFlags split;

  /// Of cached keys and values.
  DType kv_type() const { return exact ? DType::F32 : int8_kv ? DType::I8 : DType::F16; }
};

/// How tokens are chosen. What was not given is up to the model.
struct SamplingFlags {
  std::optional<double> temperature, top_p, min_p, repeat_penalty;
  std::optional<int64_t> top_k;
  std::optional<uint64_t> seed;
};

/// How far an answer goes.
struct AnswerFlags {
  std::optional<int64_t> max_tokens;
  std::optional<int64_t> context;
  std::vector<std::string> stops;
  std::optional<std::string> system;
};

/// MODEL, --model-def and --verbose; what `graph` needs.
void add_model_path(CLI::App& command, ModelFlags& flags);
/// --exact, --weights, --kv.
void add_storage_flags(CLI::App& command, ModelFlags& flags);
/// --isa, and those.
void add_number_flags(CLI::App& command, ModelFlags& flags);
/// --threads (available_cores() where it is not given), and those.
void add_precision_flags(CLI::App& command, ModelFlags& flags);
/// Those, and the flags of split_flags.h.
void add_compute_flags(CLI::App& command, ModelFlags& flags);
void add_sampling_flags(CLI::App& command, SamplingFlags& flags);
void add_answer_flags(CLI::App& command, AnswerFlags& flags);

/// --random-weights, --seed.
void add_random_flags(CLI::App& command, ModelFlags& flags);

/// The instruction sets of this machine, as flags name them: "portable", "avx2", "avx512", "avx512-vnni".
std::map<std::string, kernels::Isa> isas_by_name();

/// Cores that the process may run on, at least 1.
int available_cores();

/// The parameters for a request: flags first, then what generation_config.json says if it asks for sampling. Without
/// either the most probable token is taken; a flag that only means something when sampling brings temperature 1 along.
/// Without
/// --seed, a random one.
engine::SamplingParams sampling_params(const SamplingFlags& flags, const Json& generation_config);

}  // namespace cleave::app
