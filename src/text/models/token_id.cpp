#include "text/models/token_id.h"

#include <limits>

namespace cleave::text {

std::optional<int32_t> token_id_in(const Json& json) {
  constexpr int64_t kLast = std::numeric_limits<int32_t>::max() - 1;
  if (!json.is_number_integer() || json.get<int64_t>() < 0 || json.get<int64_t>() > kLast) return std::nullopt;
  return json.get<int32_t>();
}

int32_t read_token_id(const JsonField& field) {
  const std::optional<int32_t> id = token_id_in(field.json());
  if (!id) field.wrong("a token id from 0 to 2147483646");
  return *id;
}

}  // namespace cleave::text
