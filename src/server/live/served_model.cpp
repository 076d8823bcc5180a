#include "server/live/served_model.h"

#include <algorithm>

namespace cleave::server {

bool ServedModel::is_called(const std::string& asked) const {
  return asked.empty() || any_name || asked == name || std::ranges::find(aliases, asked) != aliases.end();
}

}  // namespace cleave::server
