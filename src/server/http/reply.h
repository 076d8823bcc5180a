#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/message.h"

namespace cleave::server::http {

class Connection;

/// The way back to the client that sent a request: either one send(), or a stream of start(), write() and finish().
/// Cheap to copy; copies are one. Belongs to the connection's thread. All calls do nothing once the client is gone.
class Reply {
 public:
  Reply() = default;
  Reply(std::weak_ptr<Connection> connection, uint64_t serial) : connection_(std::move(connection)), serial_(serial) {}

  /// Answers at once. REQUIRES: neither send() nor start() before.
  void send(Response response) const;

  /// Begins a stream. REQUIRES: neither send() nor start() before.
  void start(int status, Headers headers) const;
  /// Adds to it. REQUIRES: start(), not finish().
  void write(std::string_view bytes) const;
  void finish() const;
  /// Ends the connection, so that the client sees that the stream is not whole.
  void abort() const;

  /// Whether the client has left, or the reply is complete.
  bool over() const;
  /// Bytes that the client has not taken yet.
  size_t backlog() const;
  /// Called once, where the client leaves before finish() or send(). REQUIRES: the reply is not over.
  void on_gone(std::function<void()> callback) const;
  /// Called each time when the client has taken all that was written.
  void on_drained(std::function<void()> callback) const;

 private:
  std::shared_ptr<Connection> connection() const;

  std::weak_ptr<Connection> connection_;
  uint64_t serial_ = 0;
};

}  // namespace cleave::server::http
