#include "text/pattern/pattern_json.h"

namespace cleave::text {

Pattern read_pattern(const JsonField& field) {
  if (const auto text = field.find("String")) return Pattern::literal(text->string(), text->path());
  const auto expression = field.find("Regex");
  if (!expression) field.wrong("an object with \"String\" or \"Regex\"");
  return Pattern::regex(expression->string(), expression->path());
}

}  // namespace cleave::text
