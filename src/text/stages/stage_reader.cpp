#include "text/stages/stage_reader.h"

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"

namespace cleave::text {

void unknown_stage(const JsonField& field, const char* kind, const std::string& type,
                   std::span<const std::string> known) {
  fail(ErrorKind::Unsupported, "{}: a {} of type {} is not known; known are {}", field.path(), kind, in_quotes(type),
       join(known, ", "));
}

}  // namespace cleave::text
