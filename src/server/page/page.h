#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "server/http/message.h"

/// The web page that a server shows: plain files, which the build puts into the program (cmake/EmbedPage.cmake).
namespace cleave::server::page {

/// A file of the page. All of them live as long as the program.
struct File {
  std::string_view path;          // "/" for index.html, "/page/app.js"
  std::string_view content_type;  // "text/css; charset=utf-8"
  std::string_view tag;           // of its content, with quotes, as the header ETag has it
  std::string_view text;
};

/// All files; the generated source has them.
std::span<const File> files();

/// The file at a path; null where there is none.
const File* find_file(std::string_view path);

/// What a GET or HEAD for a file of the page gets: the file, or 304 where the client has it; nothing where the path is
/// none of the page. Its headers forbid scripts and resources that are not the page's own, and being shown inside of
/// other pages.
std::optional<http::Response> response_to(const http::Request& request);

}  // namespace cleave::server::page
