#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "jinja/meter.h"

namespace cleave::jinja {

/// A chat template: Jinja as models use it, set up as in Hugging Face's Transformers (blocks trimmed, loop controls,
/// `raise_exception`, `strftime_now`, tojson without escapes), in its sandbox of values that do not change, and bounded
/// in steps, memory, depth and output. Immutable and thread-safe.
class Template {
 public:
  /// Parses a template. `what` names it in errors: "MODEL/chat_template.jinja". Throws Error(Corrupt):
  /// "WHAT:LINE:COLUMN: TemplateSyntaxError: ...".
  Template(std::string_view source, std::string what);
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// Renders it. `variables`: a JSON object, whose keys keep their order, as tools must be written: `messages`,
  /// `tools`, `documents`, `add_generation_prompt`, `bos_token`, `eos_token` ... `now`: seconds since 1970 for
  /// strftime_now.
  ///
  /// Throws Error(InvalidArgument): "WHAT:LINE:COLUMN: KIND: MESSAGE", with Python's kind and message; what a template
  /// raises itself is a TemplateError with the template's own message.
  std::string render(std::string_view variables, int64_t now) const;
  /// As above, with bounds and a clock of one's own.
  std::string render(std::string_view variables, const Limits& limits) const;

 private:
  struct Parsed;
  std::unique_ptr<const Parsed> parsed_;
};

}  // namespace cleave::jinja
