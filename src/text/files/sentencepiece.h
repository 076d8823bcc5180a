#pragma once

#include <memory>
#include <string>

#include "text/files/sentencepiece_file.h"
#include "text/models/token_model.h"
#include "text/stages/normalizer.h"
#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// SentencePiece's own normalizer (google/sentencepiece, src/normalizer.cc): user-defined pieces are kept, the charsmap
/// replaces the longest strings that it has, and spaces become "▁". `what` names the file in errors, here and below.
/// Throws Error(Corrupt) for a broken charsmap.
std::unique_ptr<Normalizer> make_sentencepiece_normalizer(const SentencePieceSpec& spec, const std::string& what);

/// The model of a SentencePiece file: a unigram model with scores in single precision, or a byte-pair encoding that
/// first merges the neighbours whose piece has the highest score. Throws Error(Corrupt).
std::unique_ptr<TokenModel> make_sentencepiece_model(const SentencePieceSpec& spec, const std::string& what);

/// The pipeline of a SentencePiece file: normalizer, model and decoder. It has no added tokens and puts nothing around
/// a text; a directory's settings add those.
Pipeline sentencepiece_pipeline(const SentencePieceSpec& spec, const std::string& what);

}  // namespace cleave::text
