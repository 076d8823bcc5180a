#include "base/in_quotes.h"

#include "base/json.h"

namespace cleave {

std::string in_quotes(std::string_view text) {
  constexpr size_t kShownBytes = 80;  // enough to recognise it, short enough for one line
  const bool cut = text.size() > kShownBytes;
  std::string shown = Json(text.substr(0, kShownBytes)).dump(-1, ' ', true, Json::error_handler_t::replace);
  return cut ? shown + "..." : shown;
}

}  // namespace cleave
