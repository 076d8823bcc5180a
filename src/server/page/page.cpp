#include "server/page/page.h"

#include <algorithm>

namespace cleave::server::page {
namespace {

// Trusted types make innerHTML and its like throw, so that no text of a model can become part of the document.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

// Browsers keep files, and ask each time whether they are still those of this program.
http::Headers headers_of(const File& file) {
  return {{"ETag", std::string(file.tag)},
          {"Cache-Control", "no-cache"},
          {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

}  // namespace

const File* find_file(std::string_view path) {
  const std::span<const File> all = files();
  const auto found = std::ranges::find(all, path, &File::path);
  return found == all.end() ? nullptr : &*found;
}

std::optional<http::Response> response_to(const http::Request& request) {
  const File* file = find_file(request.path);
  if (file == nullptr) return std::nullopt;
  http::Response response{.content_type = std::string(file->content_type), .body = {}, .headers = headers_of(*file)};
  // A list of tags, perhaps with W/ before them; none of ours is part of another.
  if (request.header("if-none-match").find(file->tag) != std::string_view::npos)
    response.status = 304;
  else
    response.body = file->text;
  return response;
}

}  // namespace cleave::server::page
