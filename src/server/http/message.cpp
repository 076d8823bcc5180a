#include "server/http/message.h"

#include <fmt/format.h>

#include <array>

namespace cleave::server::http {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 21> kReasons = {{{200, "OK"},
                                                                        {204, "No Content"},
                                                                        {304, "Not Modified"},
                                                                        {400, "Bad Request"},
                                                                        {401, "Unauthorized"},
                                                                        {403, "Forbidden"},
                                                                        {404, "Not Found"},
                                                                        {405, "Method Not Allowed"},
                                                                        {408, "Request Timeout"},
                                                                        {409, "Conflict"},
                                                                        {411, "Length Required"},
                                                                        {413, "Content Too Large"},
                                                                        {414, "URI Too Long"},
                                                                        {415, "Unsupported Media Type"},
                                                                        {429, "Too Many Requests"},
                                                                        {431, "Request Header Fields Too Large"},
                                                                        {500, "Internal Server Error"},
                                                                        {501, "Not Implemented"},
                                                                        {503, "Service Unavailable"},
                                                                        {504, "Gateway Timeout"},
                                                                        {505, "HTTP Version Not Supported"}}};

// A header's value must not end its line: what follows would be a header of its own.
std::string on_one_line(std::string_view value) {
  std::string result(value);
  for (char& c : result)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  return result;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

std::string_view reason_of(int status) {
  for (const auto& [number, reason] : kReasons)
    if (number == status) return reason;
  return "Unknown";
}

std::string normalized_path(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  std::string path;
  for (const char c : target)
    if (c != '/' || path.empty() || path.back() != '/') path += c;
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string head_of(int status, const Headers& headers) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_of(status));
  for (const auto& [name, value] : headers) head.append(name).append(": ").append(on_one_line(value)).append("\r\n");
  return head.append("\r\n");
}

}  // namespace cleave::server::http
