#include "text/detokenizer.h"

#include "text/utf8.h"

namespace cleave::text {

std::string Utf8Stream::push(std::string_view bytes) {
  pending_.append(bytes);
  const size_t certain = pending_.size() - unfinished_suffix(pending_);
  std::string text = sanitize_utf8(std::string_view(pending_).substr(0, certain));
  pending_.erase(0, certain);
  return text;
}

std::string Utf8Stream::flush() {
  std::string text = sanitize_utf8(pending_);
  pending_.clear();
  return text;
}

std::string Detokenizer::push(int32_t id) {
  if (skip_special_tokens_ && tokenizer_.is_special(id)) return "";
  return stream_.push(tokenizer_.token_bytes(id));
}

}  // namespace cleave::text
