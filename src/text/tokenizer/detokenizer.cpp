#include "text/tokenizer/detokenizer.h"

#include "unicode/utf8.h"

namespace cleave::text {

// Limit of the tokens without text that count as the beginning of a text.
constexpr size_t kMaxHead = 64;

std::string Utf8Stream::push(std::string_view bytes) {
  pending_.append(bytes);
  const size_t certain = pending_.size() - unicode::unfinished_suffix(pending_);
  std::string text = unicode::sanitize_utf8(std::string_view(pending_).substr(0, certain));
  pending_.erase(0, certain);
  return text;
}

std::string Utf8Stream::flush() {
  std::string text = unicode::sanitize_utf8(pending_);
  pending_.clear();
  return text;
}

std::string Detokenizer::push(int32_t id) {
  if (skip_special_tokens_ && tokenizer_.is_special(id)) return "";
  if (!begun_) return push_first(id);
  std::string bytes = tokenizer_.token_bytes(id);
  if (space_waits_) bytes.insert(bytes.begin(), ' ');
  // Some kinds of tokens end words by a space, but not the last word.
  space_waits_ = bytes.ends_with(' ') && !tokenizer_.decode(std::vector<int32_t>{last_, id}, false).ends_with(' ');
  if (space_waits_) bytes.pop_back();
  last_ = id;
  return stream_.push(bytes);
}

std::string Detokenizer::push_first(int32_t id) {
  head_.push_back(id);
  head_bytes_ += tokenizer_.token_bytes(id);
  if (unicode::unfinished_suffix(head_bytes_) > 0) return "";
  std::string text = tokenizer_.decode(head_, false);
  begun_ = !text.empty() || head_.size() >= kMaxHead;
  last_ = id;
  space_waits_ = begun_ && head_bytes_.ends_with(' ') && !text.ends_with(' ');
  return text;
}

std::string Detokenizer::flush() {
  if (begun_) return stream_.flush();
  begun_ = true;
  return tokenizer_.decode(head_, false);
}

}  // namespace cleave::text
