#include "text/files/tokenizer_json.h"

#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/models/bpe_model.h"
#include "text/models/unigram_model.h"
#include "text/models/word_model.h"
#include "text/tokenizer/pipeline.h"

namespace cleave::text {
namespace {

// The type of the model. Files of old versions of the library leave it out, but only a BPE has merges, and so on.
std::string model_type(const JsonField& model) {
  if (const auto type = model.find("type")) return type->string();
  if (model.find("merges")) return "BPE";
  if (model.find("unk_id")) return "Unigram";
  if (model.find("max_input_chars_per_word")) return "WordPiece";
  return "WordLevel";
}

std::unique_ptr<TokenModel> read_model(const JsonField& field) {
  const std::string type = model_type(field);
  if (type == "BPE") return read_bpe_model(field);
  if (type == "Unigram") return read_unigram_model(field);
  if (type == "WordPiece") return read_word_piece_model(field);
  if (type == "WordLevel") return read_word_level_model(field);
  fail(ErrorKind::Unsupported, "{}: a tokenizer of kind {} is not known; BPE, Unigram, WordPiece and WordLevel are",
       field.path(), in_quotes(type));
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer_json(const Json& json, const std::string& what,
                                               std::span<const AddedToken> more) {
  const JsonField file(json, what + ":");
  const auto with = [&](const char* key, auto&& read) {
    const auto field = file.find(key);
    return field ? read(*field) : decltype(read(*field))();
  };
  Pipeline stages;
  stages.model = read_model(file.at("model"));
  stages.normalizer = with("normalizer", read_normalizer);
  stages.pre_tokenizer = with("pre_tokenizer", read_pre_tokenizer);
  stages.added = read_added_tokens(file.find("added_tokens"), more, *stages.model, stages.normalizer.get());
  if (const auto post = file.find("post_processor"))
    stages.post_processor = read_post_processor(*post, *stages.model, stages.added);
  stages.decoder = with("decoder", read_decoder);
  if (!stages.decoder) stages.decoder = make_spacing_step();
  return make_pipeline_tokenizer(std::move(stages));
}

}  // namespace cleave::text
