#include "base/json_text.h"

#include <array>

#include "base/error.h"

namespace cleave {
namespace {

constexpr int kMaxDepth = 256;

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

}  // namespace

std::optional<std::string> standard_json(std::string_view text, const std::string& what) {
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

}  // namespace cleave
