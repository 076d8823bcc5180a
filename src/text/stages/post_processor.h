#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/json_field.h"
#include "text/models/token_model.h"

namespace cleave::text {

class AddedTokens;

/// A post-processor: puts special tokens around the ids of a text. Immutable and thread-safe.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  /// The ids with special tokens around them.
  virtual std::vector<int32_t> apply(std::vector<int32_t> ids) const = 0;
};

/// A post-processor that puts fixed ids before and behind every text.
std::unique_ptr<PostProcessor> make_template(std::vector<int32_t> before, std::vector<int32_t> behind);

/// Reads the `post_processor` of a tokenizer.json: TemplateProcessing (its form for a single text), RobertaProcessing,
/// BertProcessing, ByteLevel (which only concerns offsets) and Sequence. Throws Error(Unsupported) for another type,
/// and Error(Corrupt) for a template that uses a token without defining it, or an id that neither the model nor `added`
/// has.
std::unique_ptr<PostProcessor> read_post_processor(const JsonField& field, const TokenModel& model,
                                                   const AddedTokens& added);

}  // namespace cleave::text
