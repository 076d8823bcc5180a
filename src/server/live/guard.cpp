#include "server/live/guard.h"

#include <algorithm>

#include "server/page/page.h"

namespace cleave::server {
namespace {

// "localhost:8080" and "[::1]:8080" without their ports.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_this_machine(std::string_view host) {
  const std::string_view name = without_port(host);
  return name == "localhost" || name == "[::1]" || name.starts_with("127.") || name.ends_with(".localhost");
}

std::string_view host_of(std::string_view origin) {
  const size_t at = origin.find("://");
  return at == std::string_view::npos ? std::string_view() : origin.substr(at + 3);
}

// Open to all: monitors have no keys, and the page asks for one.
bool is_public(const http::Request& request) {
  return request.path == "/health" || request.path == "/ready" || request.method == "OPTIONS" ||
         page::find_file(request.path) != nullptr;
}

}  // namespace

std::optional<api::Failure> Guard::refusal(const http::Request& request) const {
  const std::string_view host = request.header("host"), origin = request.header("origin");
  if (options_.keys.empty()) {
    const bool named = host.empty() || is_this_machine(host) ||
                       std::ranges::find(options_.hosts, without_port(host)) != options_.hosts.end();
    if (options_.local && !named && request.path != "/health")
      return api::Failure{.status = 403,
                          .message =
                              "the Host header names another machine, and this server asks for no key; start it "
                              "with a key, or allow the name"};
    if (!origin.empty() && !may_read(origin, host))
      return api::Failure{.status = 403, .message = "requests of this origin are not allowed here"};
    return std::nullopt;
  }
  if (is_public(request) || has_key(request)) return std::nullopt;
  return api::Failure{.status = 401, .message = "wanted a valid API key", .code = "invalid_api_key"};
}

http::Headers Guard::cors(const http::Request& request) const {
  const std::string_view origin = request.header("origin");
  if (origin.empty() || !may_read(origin, request.header("host"))) return {};
  http::Headers headers = {{"Access-Control-Allow-Origin", std::string(origin)}, {"Vary", "Origin"}};
  if (request.method != "OPTIONS") {
    headers.emplace_back("Access-Control-Expose-Headers", "x-request-id, retry-after");
    return headers;
  }
  const std::string_view asked = request.header("access-control-request-headers");
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, HEAD, OPTIONS");
  headers.emplace_back("Access-Control-Allow-Headers", asked.empty() ? "Authorization, Content-Type" : asked);
  headers.emplace_back("Access-Control-Max-Age", "86400");
  return headers;
}

bool Guard::has_key(const http::Request& request) const {
  std::string_view given = request.header("x-api-key");
  const std::string_view authorization = request.header("authorization");
  if (authorization.size() > 7 && authorization.substr(6, 1) == " " &&
      std::ranges::equal(authorization.substr(0, 6), std::string_view("bearer"),
                         [](char a, char b) { return (a | 32) == b; }))
    given = authorization.substr(7);
  bool found = false;
  for (const std::string& key : options_.keys) found = equal_in_constant_time(given, key) || found;
  return found;
}

// With keys any page may: it must know one.
bool Guard::may_read(std::string_view origin, std::string_view host) const {
  if (!options_.keys.empty()) return true;
  const std::string_view from = host_of(origin);
  if (!from.empty() && (from == host || is_this_machine(from))) return true;
  return std::ranges::any_of(options_.origins,
                             [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0U : 1U;
  for (size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(other));
  }
  return difference == 0;
}

}  // namespace cleave::server
