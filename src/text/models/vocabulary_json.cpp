#include "text/models/vocabulary_json.h"

#include <fmt/format.h>

#include "base/untrusted_text.h"
#include "text/models/token_id.h"

namespace cleave::text {

Vocabulary read_vocabulary(const JsonField& field) {
  Vocabulary vocabulary;
  vocabulary.reserve(field.object().size());
  for (const auto& [token, value] : field.object().items()) {
    const std::optional<int32_t> id = token_id_in(value);
    // A path for each token would take longer than all the rest.
    if (!id) read_token_id(JsonField(value, fmt::format("{}[{}]", field.path(), in_quotes(token))));
    vocabulary.add(token, *id);
  }
  return vocabulary;
}

}  // namespace cleave::text
