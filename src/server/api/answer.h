#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cleave::server::api {

/// Why an answer ended, as clients see it.
enum class Finish : uint8_t {
  Stop,       // the model ended it, or a stop text or token did
  Length,     // max_tokens, or a full context
  ToolCalls,  // the model ended it with calls
};

/// A stretch of an answer of one kind.
struct Piece {
  enum class Kind : uint8_t { Reasoning, Text, Call } kind = Kind::Text;
  std::string text = {};           // of a call: of its arguments, which are JSON
  int call = 0;                    // which of the answer's calls, from 0
  std::string id = {}, name = {};  // of a call, in its first piece
};

/// A token with the natural logarithm of its probability.
struct TokenScore {
  int32_t token = 0;
  std::string bytes = {};
  std::optional<double> logprob = {};  // nothing for the first token of a prompt
  struct Alternative {
    int32_t token;
    std::string bytes;
    double logprob;
  };
  std::vector<Alternative> top = {};  // the most probable ones, in that order
};

/// Numbers of tokens of a request.
struct Usage {
  int64_t prompt = 0, cached = 0, generated = 0, reasoning = 0;
};

/// What further tokens add to an answer; several parts together are one, down to the whole answer.
struct AnswerPart {
  std::vector<Piece> pieces = {};
  std::vector<int32_t> tokens = {};
  std::vector<TokenScore> scores = {};  // of the tokens of the text, where they were asked for
  double logprob = 0;                   // sum over the tokens, where the model was asked for it
  std::optional<Finish> finish = {};    // in the last part
  std::variant<std::monostate, std::string, int32_t> stopped_by = {};  // a stop text or a stop token of the request
  Usage usage = {};                                                    // of the answer so far

  bool empty() const { return pieces.empty() && scores.empty() && !finish; }
  /// Adds a piece, to the last one where it goes on with that.
  void append(Piece piece);
  /// Adds what comes later.
  void append(AnswerPart later);
  /// All text of a kind.
  std::string text(Piece::Kind kind) const;
  /// The calls, each in one piece.
  std::vector<Piece> calls() const;
};

}  // namespace cleave::server::api
