#include "response/difference.h"

#include <algorithm>

#include "response/mark.h"

namespace cleave::response {
namespace {

// Whether a border at this place would cut a tag. A text may begin within one, as `">` behind a name.
bool cuts_tag(std::string_view text, size_t at) {
  for (const Tag& tag : tags_in(text))
    if (tag.begin < at && at < tag.end) return true;
  const size_t close = text.find_first_of("<>");
  return close != std::string_view::npos && text[close] == '>' && at > 0 && at <= close;
}

}  // namespace

std::string_view common_prefix(std::string_view a, std::string_view b) {
  size_t length = static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(std::min(a.size(), b.size())), b.begin()).first -
      a.begin());
  while (length > 0 && (cuts_tag(a, length) || cuts_tag(b, length))) --length;
  return a.substr(0, length);
}

std::string_view common_suffix(std::string_view a, std::string_view b) {
  size_t length = 0;
  const size_t most = std::min(a.size(), b.size());
  while (length < most && a[a.size() - 1 - length] == b[b.size() - 1 - length]) ++length;
  while (length > 0 && (cuts_tag(a, a.size() - length) || cuts_tag(b, b.size() - length))) --length;
  return a.substr(a.size() - length);
}

}  // namespace cleave::response
