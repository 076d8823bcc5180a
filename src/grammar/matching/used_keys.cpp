#include "grammar/matching/used_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cleave::grammar {

bool UsedKeys::Trial::in_object() const {
  if (!opened_.empty()) return opened_.back().object;
  return kept_ > 0 && base_->levels_[kept_ - 1].object;
}

bool UsedKeys::Trial::end_string() {
  in_string_ = false;
  if (!std::exchange(is_key_, false) || !in_object()) return true;
  std::string key = std::exchange(key_, {});
  if (!opened_.empty()) return opened_.back().keys.insert(std::move(key)).second;
  return base_->levels_[kept_ - 1].keys.count(key) == 0 && added_.insert(std::move(key)).second;
}

void UsedKeys::Trial::close() {
  is_key_ = false;
  if (!opened_.empty()) {
    opened_.pop_back();
  } else if (kept_ > 0) {
    --kept_;
    added_.clear();
  }
}

bool UsedKeys::Trial::add(char byte) {
  if (in_string_) {
    const bool was_escaped = std::exchange(escaped_, false);
    if (!was_escaped && byte == '"') return end_string();
    escaped_ = !was_escaped && byte == '\\';
    if (is_key_) key_ += byte;
    return true;
  }
  if (byte == '"') {
    in_string_ = true;
    key_.clear();
  } else if (byte == '{' || byte == '[') {
    opened_.push_back({byte == '{', {}});
    is_key_ = byte == '{';
  } else if (byte == '}' || byte == ']') {
    close();
  } else if (byte == ',') {
    is_key_ = in_object();
  }
  return true;
}

void UsedKeys::take(Trial&& trial) {
  while (levels_.size() > trial.kept_) levels_.pop_back();
  if (!trial.added_.empty()) levels_.back().keys.merge(trial.added_);
  std::move(trial.opened_.begin(), trial.opened_.end(), std::back_inserter(levels_));
  key_ = std::move(trial.key_);
  in_string_ = trial.in_string_;
  escaped_ = trial.escaped_;
  is_key_ = trial.is_key_;
}

bool UsedKeys::any() const {
  return std::any_of(levels_.begin(), levels_.end(), [](const Level& level) { return !level.keys.empty(); });
}

bool UsedKeys::would_repeat(std::string_view text) const {
  Trial trial(*this);
  return !std::all_of(text.begin(), text.end(), [&](char byte) { return trial.add(byte); });
}

}  // namespace cleave::grammar
