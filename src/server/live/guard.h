#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/failure.h"
#include "server/http/message.h"

namespace cleave::server {

/// Who may use a server.
struct GuardOptions {
  std::vector<std::string> keys = {};     // one of them is asked for; empty: none is
  bool local = true;                      // listens on this machine alone
  std::vector<std::string> hosts = {};    // names in Host beside this machine's, where it is local and asks for no key
  std::vector<std::string> origins = {};  // of web pages that may use it ("https://example.org"); "*": all
};

/// The check of who sent a request, before its body is read. Immutable, and so for any thread.
class Guard {
 public:
  explicit Guard(GuardOptions options) : options_(std::move(options)) {}

  /// Why a request is refused; nothing where it is not. Without keys, a local server takes requests only for its own
  /// names, and no page of another origin may send any: otherwise every web page could use it through its visitor's
  /// browser (DNS rebinding).
  std::optional<api::Failure> refusal(const http::Request& request) const;
  /// The headers that let a web page read a response; none where the request comes from no page that may.
  http::Headers cors(const http::Request& request) const;

 private:
  bool has_key(const http::Request& request) const;
  bool may_read(std::string_view origin, std::string_view host) const;

  const GuardOptions options_;
};

/// Compares in a time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace cleave::server
