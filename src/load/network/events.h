#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace cleave::load {

/// A reader of server-sent events that arrive in pieces
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream): lines end with CR, LF or
/// both, comments and events without data are nothing. Names of events are of no interest. Holds at most one event. Not
/// thread-safe.
class EventReader {
 public:
  /// The largest event: more than any chunk of a completion, and little enough for thousands of streams.
  static constexpr size_t kMaxBytes = 1 << 20;

  /// Calls use(data) for each event that the bytes complete, its lines with \n between them. Throws Error(Corrupt) for
  /// an event of over kMaxBytes.
  void push(std::string_view bytes, const std::function<void(const std::string& data)>& use);

 private:
  void end_line(const std::function<void(const std::string&)>& use);
  void take_field(std::string_view line);

  std::string line_, data_;
  bool has_data_ = false, after_cr_ = false, is_first_line_ = true;
};

}  // namespace cleave::load
