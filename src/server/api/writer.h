#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/answer.h"
#include "server/api/failure.h"
#include "server/api/generation.h"

namespace cleave::server::api {

/// The form of one reply: from the parts of its answers to the bytes of an API, as a stream of server-sent events
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html) or as one JSON document. Knows no sockets. Used by
/// one thread.
class Writer {
 public:
  virtual ~Writer() = default;

  /// What a stream begins with, before any token is computed.
  virtual std::string begin(const Usage& usage) = 0;
  /// What a part adds to the answer `choice`, from 0. "" where that is nothing.
  virtual std::string part(size_t choice, const AnswerPart& part) = 0;
  /// What a stream ends with, once all answers have ended. `answers` are whole.
  virtual std::string end(std::span<const AnswerPart> answers) = 0;
  /// What ends a stream that cannot go on.
  virtual std::string failure(const Failure& failure) = 0;
  /// What keeps a silent stream alive.
  virtual std::string ping() { return ": ping\n\n"; }

  /// The document of a reply that is no stream.
  virtual OrderedJson whole(std::span<const AnswerPart> answers) = 0;
};

/// What writers say of every reply.
struct ReplyHead {
  std::string model;    // as the client called it
  int64_t created = 0;  // seconds since 1970
};

/// The text of a token, by its id, as its bytes are.
using TokenBytes = std::function<std::string(int32_t)>;

/// A new identifier: the prefix and `length` random letters and digits.
std::string random_id(std::string_view prefix, size_t length = 24);

/// An event with only data, and one with a name.
std::string event(const OrderedJson& data);
std::string event(std::string_view name, const OrderedJson& data);

/// Of each `best_of` answers to one prompt the `n` most probable ones, by the sums of the logarithms of their tokens'
/// probabilities, the most probable first. What the others took is counted with the first.
std::vector<AnswerPart> best_answers(std::vector<AnswerPart> answers, size_t n, size_t best_of);

/// The sum over the answers of a request. `answers_per_prompt` of them share one prompt.
Usage total(std::span<const AnswerPart> answers, size_t answers_per_prompt = 1);

}  // namespace cleave::server::api
