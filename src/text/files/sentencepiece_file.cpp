#include "text/files/sentencepiece_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/files/protobuf.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// Numbers of fields in sentencepiece_model.proto.
namespace model_field {
constexpr uint32_t kPieces = 1, kTrainer = 2, kNormalizer = 3;
}
namespace piece_field {
constexpr uint32_t kText = 1, kScore = 2, kType = 3;
}
namespace trainer_field {
constexpr uint32_t kKind = 3, kWhitespaceAsSuffix = 24, kByteFallback = 35;
}
namespace normalizer_field {
constexpr uint32_t kCharsmap = 2, kAddDummyPrefix = 3, kRemoveExtraWhitespaces = 4;
}

SentencePieceSpec::Piece read_piece(std::string_view bytes, const std::string& what) {
  SentencePieceSpec::Piece piece;
  ProtobufReader reader(bytes, what);
  while (const auto field = reader.next()) {
    if (field->number == piece_field::kText) piece.text = field->as_bytes(what);
    if (field->number == piece_field::kScore) piece.score = field->as_float(what);
    if (field->number == piece_field::kType) {
      const uint64_t type = field->as_integer(what);
      if (type < 1 || type > 6) fail(ErrorKind::Corrupt, "{}: a piece of type {}; known are 1 to 6", what, type);
      piece.type = static_cast<SentencePieceSpec::Type>(type);
    }
  }
  if (!unicode::is_utf8(piece.text))
    fail(ErrorKind::Corrupt, "{}: the piece {} is not UTF-8", what, in_quotes(piece.text));
  if (!(piece.score > -1e30F && piece.score < 1e30F))
    fail(ErrorKind::Corrupt, "{}: a piece with the score {}", what, piece.score);
  return piece;
}

void read_trainer(std::string_view bytes, const std::string& what, SentencePieceSpec& spec) {
  ProtobufReader reader(bytes, what);
  while (const auto field = reader.next()) {
    if (field->number == trainer_field::kKind) {
      const uint64_t kind = field->as_integer(what);
      if (kind != 1 && kind != 2)
        fail(ErrorKind::Unsupported, "{}: a SentencePiece model of kind {}; 1 (unigram) and 2 (bpe) are read", what,
             kind);
      spec.kind = static_cast<SentencePieceSpec::Kind>(kind);
    }
    if (field->number == trainer_field::kWhitespaceAsSuffix) spec.whitespace_as_suffix = field->as_integer(what) != 0;
    if (field->number == trainer_field::kByteFallback) spec.byte_fallback = field->as_integer(what) != 0;
  }
}

void read_normalizer_spec(std::string_view bytes, const std::string& what, SentencePieceSpec& spec) {
  ProtobufReader reader(bytes, what);
  while (const auto field = reader.next()) {
    if (field->number == normalizer_field::kCharsmap) spec.charsmap = field->as_bytes(what);
    if (field->number == normalizer_field::kAddDummyPrefix) spec.add_dummy_prefix = field->as_integer(what) != 0;
    if (field->number == normalizer_field::kRemoveExtraWhitespaces)
      spec.remove_extra_whitespaces = field->as_integer(what) != 0;
  }
}

}  // namespace

SentencePieceSpec read_sentencepiece(std::string_view bytes, const std::string& what) {
  SentencePieceSpec spec;
  ProtobufReader reader(bytes, what);
  while (const auto field = reader.next()) {
    if (field->number == model_field::kPieces) spec.pieces.push_back(read_piece(field->as_bytes(what), what));
    if (field->number == model_field::kTrainer) read_trainer(field->as_bytes(what), what, spec);
    if (field->number == model_field::kNormalizer) read_normalizer_spec(field->as_bytes(what), what, spec);
  }
  if (spec.pieces.empty()) fail(ErrorKind::Corrupt, "{}: no SentencePiece model: it has no pieces", what);
  if (std::none_of(spec.pieces.begin(), spec.pieces.end(),
                   [](const auto& piece) { return piece.type == SentencePieceSpec::Type::Unknown; }))
    fail(ErrorKind::Corrupt, "{}: no unknown piece (type 2), without which no text can be encoded", what);
  return spec;
}

}  // namespace cleave::text
