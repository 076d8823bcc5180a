#include "base/ordered_json.h"

#include "base/json_text.h"

namespace cleave {

OrderedJson parse_ordered_json(std::string_view text, const std::string& what) {
  return parse_json_as<OrderedJson>(text, what);
}

}  // namespace cleave
