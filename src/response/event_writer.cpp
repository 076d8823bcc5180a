#include "response/event_writer.h"

#include "response/mark.h"

namespace cleave::response {

void EventWriter::text(ResponseEvent::Type type, std::string_view text) {
  if (type != spaces_type_) spaces_.clear();
  spaces_type_ = type;
  if (behind_mark_) text = left_trimmed(text);
  if (text.empty()) return;
  behind_mark_ = false;
  const std::string_view inside = right_trimmed(text);
  if (!inside.empty()) {
    has_begun_ = true;
    std::string whole = spaces_ + std::string(inside);
    spaces_.clear();
    if (!events_.empty() && events_.back().type == type)
      events_.back().text += whole;
    else
      events_.push_back({type, std::move(whole), 0, "", "", false});
  }
  spaces_ += text.substr(inside.size());
}

void EventWriter::mark() {
  spaces_.clear();
  behind_mark_ = true;
}

void EventWriter::finish() {
  if (!spaces_.empty() && has_begun_ && spaces_type_ == ResponseEvent::Type::Content)
    events_.push_back({spaces_type_, std::move(spaces_), 0, "", "", false});
  spaces_.clear();
}

bool EventWriter::on_call(const std::string& name, const std::string& id) {
  if (name.empty() || (only_known_ && !tools_.has(name))) return false;
  mark();
  events_.push_back({ResponseEvent::Type::CallBegin, "", calls_, id.empty() ? new_id() : id, name, false});
  call_begun_ = true;
  has_begun_ = true;
  return true;
}

void EventWriter::on_arguments(std::string piece) {
  if (piece.empty()) return;
  if (!events_.empty() && events_.back().type == ResponseEvent::Type::CallArguments && events_.back().call == calls_)
    events_.back().text += piece;
  else
    events_.push_back({ResponseEvent::Type::CallArguments, std::move(piece), calls_, "", "", false});
}

void EventWriter::end_call(bool finished) {
  events_.push_back({ResponseEvent::Type::CallEnd, "", calls_++, "", "", finished});
  call_begun_ = false;
  mark();
}

void EventWriter::drop_call() {
  events_.push_back({ResponseEvent::Type::CallDropped, "", calls_++, "", "", false});
  call_begun_ = false;
}

// Nine letters and digits, all that Mistral's templates take: splitmix64 of the seed and the call's number.
std::string EventWriter::new_id() const {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uint64_t value = id_seed_ * 0x9E3779B97F4A7C15U + (calls_ + 1) * 0xD1B54A32D192ED03U;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  value ^= value >> 31;
  std::string id;
  for (; id.size() < 9; value /= kLetters.size()) id += kLetters[value % kLetters.size()];
  return id;
}

}  // namespace cleave::response
