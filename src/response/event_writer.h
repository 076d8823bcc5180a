#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "response/call_reader.h"
#include "response/response_parser.h"

namespace cleave::response {

/// A writer of events that gives calls their numbers and ids, and keeps whitespace back until it is known whether a
/// mark follows.
class EventWriter : public CallSink {
 public:
  EventWriter(const ToolSchemas& tools, uint64_t id_seed) : tools_(tools), id_seed_(id_seed) {}

  void text(ResponseEvent::Type type, std::string_view text);
  /// A mark: whitespace before it and behind it is no part of a text.
  void mark();
  /// The end of the answer.
  void finish();

  /// Bare calls must be of known tools.
  void require_known_tools(bool required) { only_known_ = required; }
  bool on_call(const std::string& name, const std::string& id) override;
  void on_arguments(std::string piece) override;
  void end_call(bool finished);
  void drop_call();
  bool call_begun() const { return call_begun_; }
  /// Whether anything but whitespace was told.
  bool has_begun() const { return has_begun_; }

  std::vector<ResponseEvent> take() { return std::move(events_); }

 private:
  std::string new_id() const;

  const ToolSchemas& tools_;
  uint64_t id_seed_;
  std::vector<ResponseEvent> events_;
  ResponseEvent::Type spaces_type_ = ResponseEvent::Type::Content;
  std::string spaces_;        // held back
  bool behind_mark_ = false;  // whitespace that comes next is dropped
  bool has_begun_ = false;
  bool only_known_ = false;
  bool call_begun_ = false;
  size_t calls_ = 0;
};

}  // namespace cleave::response
