#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

namespace cleave::server::http {

/// A stream of bytes to and from one client: a socket, with TLS or without, or what a test puts in its place. Used by
/// one thread. At most one read and one write are under way; callbacks come later, never from within the call, and none
/// comes after close().
class Transport {
 public:
  virtual ~Transport() = default;

  /// Calls `done` with the number of bytes that have come; 0 where the client has ended its side or is gone. The memory
  /// must live until then.
  virtual void read(std::span<char> into, std::function<void(size_t)> done) = 0;
  /// Writes all bytes, then calls `done`; with false where the client is gone. The memory must live until then.
  virtual void write(std::string_view bytes, std::function<void(bool)> done) = 0;
  /// Tells the client that nothing more comes.
  virtual void end_writing() = 0;
  virtual void close() = 0;
};

}  // namespace cleave::server::http
