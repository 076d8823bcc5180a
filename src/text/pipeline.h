#pragma once

#include <memory>

#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace cleave::text {

/// The stages of a tokenizer, in the order in which a text passes them. Those that may be null do nothing.
struct Pipeline {
  AddedTokens added;
  std::unique_ptr<Normalizer> normalizer;       // may be null
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // may be null
  std::unique_ptr<Model> model;
  std::unique_ptr<PostProcessor> post_processor;  // may be null
  std::unique_ptr<DecoderStep> decoder;
};

std::unique_ptr<Tokenizer> make_pipeline_tokenizer(Pipeline pipeline);

}  // namespace cleave::text
