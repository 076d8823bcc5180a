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
  std::vector<int32_t> source;     // the text that they depend on, of a model that reads one and writes another
  std::vector<float> logits;       // [L, vocab]; of an encoder the vectors of tokens
  std::vector<int32_t> greedy;     // tokens that greedy decoding appends; may be empty
  float largest = 0;               // absolute value among the logits
};

/// What a model gives for each token, and where a file has it.
struct VerifiedOutput {
  int64_t vocab_size = 0;         // ids that the model knows
  int64_t width = 0;              // numbers for each token
  std::string tensor = "logits";  // "hidden" of an encoder
  bool has_source = false;        // input_ids_i is the text that is read, decoder_input_ids_i the one that is written
};

/// Reads a safetensors file with tensors input_ids_i, logits_i and, optionally, greedy_i for i = 0, 1, ..., or one set
/// without numbers. Of a model that reads one text and writes another, a case of its own compares the greedy tokens, of
/// which the first begins the text. Leading extents of 1 do not matter; logits are of any float type; other tensors are
/// left alone. Throws Error where the file holds no case, a part of one is missing, shapes do not fit together or an id
/// is outside the vocabulary.
std::vector<VerifyCase> read_cases(const std::filesystem::path& path, const VerifiedOutput& output);

}  // namespace cleave::app
