#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "server/http/message.h"

namespace cleave::server::http {

/// A reader of one HTTP/1.x request that arrives in pieces (RFC 9112), within limits. Not thread-safe.
class RequestReader {
 public:
  enum class State : uint8_t {
    Head,      // the headers are not complete
    Body,      // they are, the body is not
    Complete,  // take() gives the request
    Failed,    // it is none, or exceeds a limit: status() and problem() say how
  };

  explicit RequestReader(const Limits& limits);
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;
  ~RequestReader();

  /// Takes what it can from the front of `input`, which keeps the rest, and gives the state. It stops once where the
  /// headers are complete, so that they can be looked at before the body is taken. REQUIRES: not Complete or Failed.
  State read(std::string& input);
  State state() const { return state_; }

  /// The request without its body. REQUIRES: state() is not Head. Where it is Failed, as much as is known.
  const Request& head() const { return request_; }
  /// Whether the client waits for "100 Continue" before it sends the body. REQUIRES: as head().
  bool expects_continue() const;
  /// REQUIRES: Complete, and not called before.
  Request take();

  int status() const { return status_; }  // of a response that says what is wrong
  const std::string& problem() const { return problem_; }

 private:
  struct Parser;

  void note_head();
  State fail(int status, std::string problem);

  std::unique_ptr<Parser> parser_;
  const Limits limits_;
  State state_ = State::Head;
  Request request_;
  int status_ = 400;
  std::string problem_;
};

}  // namespace cleave::server::http
