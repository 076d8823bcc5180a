#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace cleave::load {

/// A reader of one HTTP/1.x response (RFC 9112) that arrives in pieces, of a server that nothing is known of. Its body
/// is taken out as it comes, so memory is bounded by what is pushed at once. Not thread-safe.
class ResponseReader {
 public:
  enum class State : uint8_t {
    Head,      // the headers are not complete
    Body,      // they are, the body is not
    Complete,  // there is no more to come
    Failed,    // it is no response: problem() says why
  };
  static constexpr size_t kMaxHeaderBytes = 64 << 10;

  ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;
  ~ResponseReader();

  /// Takes what has come; nothing once it is Complete or Failed.
  State push(std::string_view bytes);
  /// The server has closed the connection, which completes a body without a length.
  State end();
  State state() const { return state_; }

  /// Whether the headers are there, of a response that fails later, too.
  bool has_head() const;
  /// REQUIRES: has_head().
  int status() const;
  std::string content_type() const;
  /// What has come of the body since the last call.
  std::string take_body();
  const std::string& problem() const { return problem_; }

 private:
  struct Parser;

  State fail(std::string problem);

  std::unique_ptr<Parser> parser_;
  std::string input_;  // come and not parsed
  State state_ = State::Head;
  std::string problem_;
};

}  // namespace cleave::load
