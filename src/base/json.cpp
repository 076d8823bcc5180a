#include "base/json.h"

#include "base/json_text.h"

namespace cleave {

Json parse_json(std::string_view text, const std::string& what) {
  return parse_json_as<Json>(text, what);
}

}  // namespace cleave
