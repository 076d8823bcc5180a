#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cleave::load {

/// Where a server is.
struct Target {
  bool tls = false;
  std::string host;         // a name or an address, IPv6 without brackets
  uint16_t port = 0;        // 0: a unix socket
  std::string unix_socket;  // its path, in place of host and port
  std::string base;         // what paths begin with, without /v1 and a slash at the end: "", "/proxy"

  /// The value of the Host header: "host:port"; "localhost" of a unix socket.
  std::string authority() const;
};

/// Reads "http://HOST:PORT", "https://HOST/BASE", "HOST:PORT" or "unix:PATH"; "/v1" at the end is the same without.
/// Throws Error(InvalidArgument) for anything else, users and queries among it.
Target parse_target(std::string_view url);

/// A request's bytes, HTTP/1.1, for a connection of its own. `path` follows the target's base. `key`: of the
/// Authorization header, "" for none. A body is JSON. Throws Error(InvalidArgument) for a key with control characters.
std::string request_bytes(const Target& target, std::string_view method, std::string_view path, std::string_view key,
                          std::string_view body);

}  // namespace cleave::load
