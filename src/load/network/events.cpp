#include "load/network/events.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace cleave::load {

void EventReader::push(std::string_view bytes, const std::function<void(const std::string&)>& use) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + data_.size() + end > kMaxBytes)
      fail(ErrorKind::Corrupt, "an event of the stream has more than {} bytes", kMaxBytes);
    line_.append(bytes.substr(0, end));
    if (end == bytes.size()) return;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(use);
  }
}

void EventReader::end_line(const std::function<void(const std::string&)>& use) {
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (std::exchange(is_first_line_, false) && line_.starts_with(kByteOrderMark)) line_.erase(0, kByteOrderMark.size());
  if (!line_.empty()) {
    take_field(line_);
    line_.clear();
    return;
  }
  const std::string data = std::exchange(data_, {});
  if (std::exchange(has_data_, false)) use(data);
}

void EventReader::take_field(std::string_view line) {
  const size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name != "data") return;
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
}

}  // namespace cleave::load
