#include "app/terminal/jsonl.h"

#include <fmt/format.h>

#include <iterator>

#include "base/error.h"

namespace cleave::app {

std::string read_all(std::istream& stream, const std::string& name) {
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) fail(ErrorKind::Io, "cannot read {}", name);
  return text;
}

void for_each_line(std::istream& stream, const std::function<void(const std::string&)>& use) {
  std::string line;
  for (size_t number = 1; std::getline(stream, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    try {
      use(line);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("line {}: {}", number, error.what()));
    }
  }
  if (stream.bad()) fail(ErrorKind::Io, "cannot read standard input");
}

void for_each_json_line(std::istream& stream, const std::function<void(const Json&)>& use) {
  for_each_line(stream, [&](const std::string& line) { use(parse_json(line, "standard input")); });
}

}  // namespace cleave::app
