#include "load/network/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::load {
namespace {

[[noreturn]] void refuse(std::string_view url, std::string_view problem) {
  fail(ErrorKind::InvalidArgument, "{} {}, wanted http://HOST:PORT, https://HOST:PORT or unix:PATH", in_quotes(url),
       problem);
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void take_suffix(std::string_view& text, std::string_view suffix) {
  while (text.ends_with(suffix)) text.remove_suffix(suffix.size());
}

uint16_t port_of(std::string_view text, std::string_view url) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) refuse(url, "has no port from 1 to 65535");
  return port;
}

// "host", "host:port", "[::1]:port".
void read_authority(std::string_view text, std::string_view url, Target& target) {
  std::string_view host = text, port;
  if (take_prefix(host, "[")) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos) refuse(url, "has a bracket that nothing closes");
    port = host.substr(end + 1);
    host = host.substr(0, end);
    if (!port.empty() && !take_prefix(port, ":")) refuse(url, "has no port behind its address");
  } else if (const size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host.empty()) refuse(url, "names no host");
  target.host = host;
  if (!port.empty()) target.port = port_of(port, url);
}

}  // namespace

std::string Target::authority() const {
  if (!unix_socket.empty()) return "localhost";
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Target parse_target(std::string_view url) {
  Target target;
  std::string_view rest = url;
  if (take_prefix(rest, "unix:")) {
    if (rest.empty()) refuse(url, "names no path");
    target.unix_socket = rest;
    return target;
  }
  if (!is_plain(url)) refuse(url, "has spaces or control characters");
  target.tls = take_prefix(rest, "https://");
  if (!target.tls && !take_prefix(rest, "http://") && rest.find("://") != std::string_view::npos)
    refuse(url, "has another scheme");
  if (rest.find_first_of("@?#") != std::string_view::npos) refuse(url, "has a user, a query or a fragment");
  target.port = target.tls ? 443 : 80;
  const size_t slash = std::min(rest.find('/'), rest.size());
  read_authority(rest.substr(0, slash), url, target);
  std::string_view base = rest.substr(slash);
  take_suffix(base, "/");
  if (base.ends_with("/v1")) base.remove_suffix(3);
  take_suffix(base, "/");
  target.base = base;
  return target;
}

std::string request_bytes(const Target& target, std::string_view method, std::string_view path, std::string_view key,
                          std::string_view body) {
  if (!is_plain(key)) fail(ErrorKind::InvalidArgument, "the API key has spaces or control characters");
  std::string bytes =
      fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: cleave\r\nAccept: */*\r\nConnection: close\r\n", method,
                  target.base, path, target.authority());
  if (!key.empty()) bytes += fmt::format("Authorization: Bearer {}\r\n", key);
  if (!body.empty()) bytes += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  return bytes.append("\r\n").append(body);
}

}  // namespace cleave::load
