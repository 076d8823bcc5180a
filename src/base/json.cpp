#include "base/json.h"

#include <array>
#include <cctype>
#include <optional>

#include "base/error.h"

namespace cleave {
namespace {

constexpr int kMaxDepth = 256;
constexpr size_t kMaxMessageBytes = 200;

// A word that Python writes for a number that JSON cannot hold, and the JSON that replaces it. Infinity becomes the
// largest double, because configurations use it as a bound that nothing reaches.
struct Constant {
  std::string_view python;
  std::string_view json;
};
constexpr std::array<Constant, 3> kConstants = {
    Constant{"-Infinity", "-1.7976931348623157e308"}, {"Infinity", "1.7976931348623157e308"}, {"NaN", "null"}};

const Constant* constant_at(std::string_view text, size_t position) {
  for (const Constant& constant : kConstants)
    if (text.substr(position, constant.python.size()) == constant.python) return &constant;
  return nullptr;
}

// The text with Python's constants replaced; nothing if it can be parsed as it stands. Also checks the depth of nesting
// in the same pass.
std::optional<std::string> prepare(std::string_view text, const std::string& what) {
  std::string replaced;
  size_t copied = 0;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth)
      fail(ErrorKind::Corrupt, "{}: JSON nested deeper than {} levels at byte {}", what, kMaxDepth, i);
    if (c != 'I' && c != 'N' && c != '-') continue;
    if (const Constant* constant = constant_at(text, i)) {
      replaced.append(text.substr(copied, i - copied)).append(constant->json);
      i += constant->python.size() - 1;
      copied = i + 1;
    }
  }
  if (copied == 0) return std::nullopt;
  return replaced.append(text.substr(copied));
}

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  const std::optional<std::string> replaced = prepare(text, what);
  try {
    return Json::parse(replaced ? std::string_view(*replaced) : text);
  } catch (const Json::exception& error) {
    // The library quotes what it read last, which may be a string as long as the file.
    fail(ErrorKind::Corrupt, "{}: not valid JSON: {}", what,
         std::string_view(error.what()).substr(0, kMaxMessageBytes));
  }
}

}  // namespace cleave
