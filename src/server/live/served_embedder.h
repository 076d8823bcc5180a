#pragma once

#include <cstdint>
#include <memory>

#include "inference/embedding/sentence_modules.h"
#include "inference/embedding/text_preparation.h"

namespace cleave::server {

/// What requests for vectors need of an embedding model. Immutable.
struct ServedEmbedder {
  std::shared_ptr<const inference::SentenceModules> modules;
  std::shared_ptr<const inference::TextPreparation> preparation;  // borrows the modules and the model's tokenizer
  int64_t width = 0;                                              // numbers of a vector
};

}  // namespace cleave::server
