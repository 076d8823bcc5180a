#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "jinja/meter.h"

namespace cleave::jinja {

/// A template in the language Jinja, set up as Hugging Face's Transformers does for chat templates: blocks are trimmed,
/// loops may break, there are `raise_exception` and `strftime_now`, tojson writes no escapes, and a sandbox allows no
/// change of values. A rendering is bounded in steps, memory, depth and output (Limits). Immutable and thread-safe.
class Template {
 public:
  /// Parses a template. `what` names the template in errors ("MODEL/chat_template.jinja"). Throws Error(Corrupt):
  /// "WHAT:LINE:COLUMN: TemplateSyntaxError: ...".
  Template(std::string_view source, std::string what);
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// The rendered text. `variables` is a JSON object of all that the template may read: `messages`, `tools`,
  /// `add_generation_prompt`, `bos_token` ... Its keys keep their order, because models were trained on tools in the
  /// order in which they came. `now` is the time that strftime_now shows, in seconds since 1970.
  ///
  /// Throws Error(InvalidArgument): "WHAT:LINE:COLUMN: KIND: MESSAGE", with the kind and the message of Python's
  /// exception. raise_exception in the template gives a TemplateError with the template's own message.
  std::string render(std::string_view variables, int64_t now) const;
  /// The same with limits, and their clock, that the caller chooses.
  std::string render(std::string_view variables, const Limits& limits) const;

 private:
  struct Parsed;
  std::unique_ptr<const Parsed> parsed_;
};

}  // namespace cleave::jinja
