#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "inference/embedding/sentence_modules.h"
#include "inference/opened.h"
#include "runtime/split_model.h"

namespace cleave::inference {

/// A text of which a vector is wanted.
struct EmbeddingInput {
  std::span<const int32_t> tokens;
  int64_t left_out = 0;  // tokens at its beginning that do not count: those of a prompt
};

/// Sizes with which an encoder is to be loaded for texts of up to `longest` tokens. Throws Error(Unsupported) where the
/// model gives no vectors of tokens.
runtime::Sizes embedding_sizes(const OpenedModel& opened, int64_t longest);

/// Makes vectors of texts with a loaded encoder, many texts in a step. Used by one thread, that of the model's group.
class Embedder {
 public:
  /// Borrows all. The model must have been loaded with embedding_sizes(), and no other sequence may be under way.
  Embedder(const OpenedModel& opened, const SentenceModules& modules, runtime::SplitModel& model);

  /// Numbers of a vector.
  int64_t width() const { return modules_.output_width(model_.output_width()); }

  /// Gives take(index, vector) for each text, in an order of its own: texts of a length are computed together.
  /// Throws Error(InvalidArgument) for a text without tokens or one that is longer than the model was loaded for.
  void embed(std::span<const EmbeddingInput> texts,
             const std::function<void(size_t index, std::vector<float> vector)>& take);

 private:
  size_t step_together(std::span<const EmbeddingInput> texts, std::span<const size_t> order,
                       const std::function<void(size_t, std::vector<float>)>& take);
  void step_in_chunks(const EmbeddingInput& text, size_t index,
                      const std::function<void(size_t, std::vector<float>)>& take);
  void run();

  const SentenceModules& modules_;
  runtime::SplitModel& model_;
  const bool whole_;             // a step must have the whole of a text
  std::vector<int32_t> blocks_;  // 0, 1, 2 ...
  // Of the step that is being made.
  std::vector<int32_t> tokens_, rows_;
  std::vector<runtime::SequenceStep> sequences_;
  struct Row {
    size_t pooler;
    int64_t index;  // of the token in its text
  };
  std::vector<Row> wanted_;  // for each of rows_
  std::vector<Pooler> poolers_;
};

}  // namespace cleave::inference
