#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/json_field.h"
#include "text/models/token_model.h"

namespace cleave::text {

class AddedTokens;

/// Puts special tokens around the ids of a text. Immutable and thread-safe.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  virtual std::vector<int32_t> apply(std::vector<int32_t> ids) const = 0;
};

/// A template of ids: before the text and behind it.
std::unique_ptr<PostProcessor> make_template(std::vector<int32_t> before, std::vector<int32_t> behind);

/// Reads the `post_processor` of a tokenizer.json: TemplateProcessing (its form for a single text), RobertaProcessing,
/// BertProcessing, ByteLevel (which only concerns offsets) and Sequence. Throws Error(Unsupported) for another type,
/// Error(Corrupt) for a template that names a token it does not define or ids that neither the model nor `added` has.
std::unique_ptr<PostProcessor> read_post_processor(const JsonField& field, const TokenModel& model,
                                                   const AddedTokens& added);

}  // namespace cleave::text
