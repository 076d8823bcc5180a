#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/split_flags.h"
#include "inference/options.h"
#include "inference/sampling.h"
#include "kernels/simd/isa.h"

namespace cleave::app {

/// Which model, how it computes, and over which ranks.
struct ModelFlags {
  inference::ModelOptions model;
  inference::NumberOptions numbers;
  std::optional<int> threads;  // of this process, shared by its ranks; otherwise its share of the CPUs
  SplitFlags split;
};

/// How far an answer goes.
struct AnswerFlags {
  std::optional<int64_t> max_tokens;
  std::optional<int64_t> context;
  std::vector<std::string> stops;
  std::optional<std::string> system;
};

/// MODEL, --model-def, --verbose: what `graph` needs.
void add_model_path(CLI::App& command, ModelFlags& flags);
/// --exact, --weights, --kv.
void add_storage_flags(CLI::App& command, ModelFlags& flags);
/// --exact, --weights, --kv, --isa.
void add_number_flags(CLI::App& command, ModelFlags& flags);
/// --threads, --exact, --weights, --kv, --isa.
void add_precision_flags(CLI::App& command, ModelFlags& flags);
/// What add_precision_flags() adds, and the flags of split_flags.h.
void add_compute_flags(CLI::App& command, ModelFlags& flags);
/// --temperature, --top-k, --top-p, --min-p, --repeat-penalty, --no-repeat-ngram, --min-tokens, --suppress-tokens,
/// --seed.
void add_sampling_flags(CLI::App& command, inference::SamplingOptions& options);
/// --max-tokens, --context, --stop, --system.
void add_answer_flags(CLI::App& command, AnswerFlags& flags);

/// --random-weights, --seed.
void add_random_flags(CLI::App& command, ModelFlags& flags);

/// The instruction sets of this machine, as flags name them: "portable", "avx2", "avx512", "avx512-vnni".
std::map<std::string, kernels::Isa> isas_by_name();

}  // namespace cleave::app
