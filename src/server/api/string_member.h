#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cleave::server::api {

/// A reader of the string {"NAME": "..."} in a JSON object that arrives in pieces: it gives the string's text as far as
/// it is certain. Only a first member is found.
class StringMember {
 public:
  explicit StringMember(std::string name) : name_(std::move(name)) {}

  /// What a further piece of the object adds to the text.
  std::string feed(std::string_view piece);
  /// Whether the string has begun.
  bool begun() const { return state_ != State::Before; }

 private:
  enum class State { Before, Inside, Behind };

  void read_head();
  std::string read_text();

  std::string name_;
  State state_ = State::Before;
  std::string rest_;  // what is not read yet
};

}  // namespace cleave::server::api
