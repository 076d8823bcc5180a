#include "ckpt/config.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/strings.h"
#include "base/untrusted_text.h"

namespace cleave::ckpt {
namespace {

// Twice the index of a 671B model. A document tree of hostile JSON takes up to 33 times the text.
constexpr size_t kMaxBytes = 20'000'000;

constexpr const char* kFloatKey = "__float__";

// Replaces {"__float__": x} by the number, everywhere below `value`. Recursion is bounded by parse_json's limit on
// nesting.
void resolve_floats(Json& value, const std::string& file) {
  if (value.is_object() && value.size() == 1 && value.contains(kFloatKey)) {
    const Json& text = value[kFloatKey];
    const std::string name = text.is_string() ? text.get<std::string>() : text.type_name();
    if (name != "Infinity" && name != "-Infinity" && name != "NaN")
      fail(ErrorKind::Corrupt, "{}: {} is {}, expected \"Infinity\", \"-Infinity\" or \"NaN\"", file, kFloatKey,
           in_quotes(name));
    value = parse_json(name, file);
    return;
  }
  if (!value.is_structured()) return;
  for (Json& element : value) resolve_floats(element, file);
}

std::string_view text_of(const MappedFile& file) {
  if (file.bytes().size() > kMaxBytes)
    fail(ErrorKind::Corrupt, "{} has {}, more than the {} that a JSON file of a model may have", file.path().string(),
         format_bytes(static_cast<double>(file.bytes().size())), format_bytes(kMaxBytes));
  return file.text();
}

}  // namespace

Json parse_config(std::string_view text, const std::string& file) {
  Json config = parse_json(text, file);
  if (!config.is_object()) fail(ErrorKind::Corrupt, "{}: expected a JSON object, found {}", file, config.type_name());
  resolve_floats(config, file);
  return config;
}

Json read_config(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_config(text_of(file), path.string());
}

Json read_json(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_json(text_of(file), path.string());
}

}  // namespace cleave::ckpt
