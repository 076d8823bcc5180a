#pragma once

#include <cstdint>
#include <optional>

#include "grammar/program/builder.h"

namespace cleave::grammar {

/// Rules of JSON that all schemas share, each made when it is first asked for. Not thread-safe.
///
/// White space may stand behind "{", "[", "," and ":", and before "}" and "]": one space, or the end of a line with up
/// to 40 spaces or tabs. It is bounded because models that may go on with it do.
class JsonRules {
 public:
  /// `builder` must outlive the rules.
  explicit JsonRules(ProgramBuilder& builder) : builder_(builder) {}

  uint32_t value();
  uint32_t object();
  uint32_t string();
  uint32_t number();
  uint32_t integer();
  /// A character of a string, in any spelling; of a key or where a pattern is to be compared, in one.
  uint32_t character();
  uint32_t spelled_character();
  uint32_t space();

  /// Optional white space.
  void add_space(uint32_t from, uint32_t to) { builder_.call(from, space(), 0, 1, to); }
  /// Between quotes, `min` to `max` characters.
  void add_string(uint32_t from, uint32_t min, uint32_t max, uint32_t to);
  /// Items of a list of `min` to `max`, with commas between them: `first` says whether there is none before.
  void add_list(uint32_t from, uint32_t item, uint32_t min, uint32_t max, bool first, uint32_t to);
  /// ":" and a value behind a key.
  void add_value(uint32_t from, uint32_t value, uint32_t to);

  ProgramBuilder& builder() { return builder_; }

 private:
  uint32_t array();
  uint32_t member();
  /// A rule that is made by `make(start, end)`, once.
  template <class Make>
  uint32_t once(std::optional<uint32_t>& rule, const char* name, Make make);

  ProgramBuilder& builder_;
  std::optional<uint32_t> value_, object_, array_, member_, string_, number_, integer_, character_, spelled_, space_;
};

}  // namespace cleave::grammar
