#include "server/live/thinking_budget.h"

#include <algorithm>
#include <utility>

#include "unicode/utf8.h"

namespace cleave::server {
namespace {

constexpr size_t kLongestCharacter = 4;  // bytes
constexpr size_t kWordBits = 32;

// What a model writes between its reasoning and its answer.
std::string closing_text(const response::ResponseFormat& format, const std::string& header) {
  if (!format.channels) return format.reasoning_close;
  const response::ChannelSyntax& channels = *format.channels;
  const std::string end = channels.ends.empty() ? "" : channels.ends[0];
  const std::string content = channels.channel + channels.content + channels.message;
  return end + channels.start + channels.author + (header.empty() ? content : header);
}

}  // namespace

ThinkingBudget::ThinkingBudget(Settings settings, const text::Tokenizer& tokenizer,
                               std::shared_ptr<engine::TokenConstraint> inner)
    : budget_(settings.tokens),
      format_(std::move(settings.format)),
      tokenizer_(tokenizer),
      inner_(std::move(inner)),
      parser_(format_, std::move(settings.parser)),
      closing_(tokenizer.encode(closing_text(format_, settings.header), false)),
      next_(closing_.size()) {
  begin_closing();
}

void ThinkingBudget::mask(std::span<uint32_t> allowed) {
  if (next_ == closing_.size()) return inner_ != nullptr ? inner_->mask(allowed) : void();
  const auto token = static_cast<size_t>(closing_[next_]);
  for (size_t word = 0; word < allowed.size(); ++word)
    allowed[word] &= word == token / kWordBits ? 1U << token % kWordBits : 0;
}

void ThinkingBudget::accept(int32_t token) {
  if (inner_ != nullptr) inner_->accept(token);
  if (next_ < closing_.size()) ++next_;
  if (parser_.in_reasoning()) ++used_;
  const std::string bytes = tokenizer_.token_bytes(token);
  if (tokenizer_.is_special(token) && !format_.is_mark(bytes)) return begin_closing();
  parser_.feed(bytes);
  tail_ += bytes;
  tail_.erase(0, tail_.size() - std::min(tail_.size(), kLongestCharacter));
  begin_closing();
}

void ThinkingBudget::begin_closing() {
  if (next_ < closing_.size() || used_ < budget_ || !parser_.in_reasoning()) return;
  if (unicode::unfinished_suffix(tail_) == 0) next_ = 0;
}

}  // namespace cleave::server
