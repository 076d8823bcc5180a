#pragma once

#include <memory>
#include <string>

#include "text/files/sentencepiece_file.h"
#include "text/models/token_model.h"
#include "text/stages/normalizer.h"
#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// SentencePiece's own normalization (google/sentencepiece, src/normalizer.cc): user-defined pieces are kept, the
/// charsmap replaces the longest strings it has, spaces become "▁".
std::unique_ptr<Normalizer> make_sentencepiece_normalizer(const SentencePieceSpec& spec, const std::string& what);

/// SentencePiece's models: a unigram model with scores in single precision, or byte-pair encoding that merges the
/// neighbours whose piece has the highest score.
std::unique_ptr<TokenModel> make_sentencepiece_model(const SentencePieceSpec& spec, const std::string& what);

/// Normalizer, model and decoder; no added tokens and nothing around a text.
Pipeline sentencepiece_pipeline(const SentencePieceSpec& spec, const std::string& what);

}  // namespace cleave::text
