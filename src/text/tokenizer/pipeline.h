#pragma once

#include <memory>

#include "text/models/token_model.h"
#include "text/stages/added_tokens.h"
#include "text/stages/decoder.h"
#include "text/stages/normalizer.h"
#include "text/stages/post_processor.h"
#include "text/stages/pre_tokenizer.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::text {

/// The stages of a tokenizer, in the order in which a text passes them. A stage that is null is skipped.
struct Pipeline {
  AddedTokens added;
  std::unique_ptr<Normalizer> normalizer;       // may be null
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // may be null
  std::unique_ptr<TokenModel> model;
  std::unique_ptr<PostProcessor> post_processor;  // may be null
  std::unique_ptr<DecoderStep> decoder;
};

/// Makes the tokenizer of a pipeline.
std::unique_ptr<Tokenizer> make_pipeline_tokenizer(Pipeline pipeline);

}  // namespace cleave::text
