#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cleave::server::http {

/// Names and values of headers. Those of requests have their names in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// A request as it came, of a client that nothing is known of.
struct Request {
  std::string method;  // "GET"
  std::string path;    // with one slash between parts, without the query: "/v1/models"
  Headers headers;
  std::string body;
  int version = 11;  // 10: HTTP/1.0, which knows no chunks
  bool keep_alive = true;

  /// The value of a header, its name in lower case; "" where there is none.
  std::string_view header(std::string_view name) const;
};

/// A whole answer.
struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  Headers headers = {};
};

/// What bounds a connection, so that no client holds memory or a place for long.
struct Limits {
  size_t header_bytes = 32 << 10;
  size_t body_bytes = 32 << 20;
  size_t pipelined_bytes = 64 << 10;                 // taken ahead while a request is being answered
  size_t connections = 4096;                         // at a time; further ones are closed at once
  std::chrono::milliseconds header_time{15'000};     // from the first byte of a request to the end of its headers
  std::chrono::milliseconds idle_time{75'000};       // between requests
  std::chrono::milliseconds stall_time{30'000};      // without a byte of the body, or of the answer being taken
  std::chrono::milliseconds body_time{300'000};      // for a body
  std::chrono::milliseconds lingering_time{10'000};  // for reading what a refused client still sends
};

/// "Not Found" and so on; "Unknown" for a status that no reply of ours has.
std::string_view reason_of(int status);

/// A path without its query, several slashes as one, and without a slash at its end: "//v1/models/?x=1" is
/// "/v1/models".
std::string normalized_path(std::string_view target);

/// The bytes of a status line and headers.
std::string head_of(int status, const Headers& headers);

}  // namespace cleave::server::http
