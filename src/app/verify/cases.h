#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cleave::app {

/// One reference input and what the model should make of it.
struct VerifyCase {
  std::string name;                // "0", or "" where the file has a single case without numbers
  std::vector<int32_t> input_ids;  // [L]
  std::vector<float> logits;       // [L, vocab]
  std::vector<int32_t> greedy;     // tokens that greedy decoding appends; may be empty
  float largest = 0;               // absolute value among the logits
};

/// Reads a safetensors file with tensors input_ids_i, logits_i and, optionally, greedy_i for i = 0, 1, ..., or one set
/// without numbers. Leading extents of 1 do not matter; logits are of any float type; other tensors are left alone.
/// Throws Error where the file holds no case, a part of one is missing, shapes do not fit together or an id is outside
/// the vocabulary.
std::vector<VerifyCase> read_cases(const std::filesystem::path& path, int64_t vocab_size);

}  // namespace cleave::app
