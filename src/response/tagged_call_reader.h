#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "response/call_head.h"
#include "response/call_reader.h"
#include "response/literal.h"
#include "response/mark.h"

namespace cleave::response {

/// A reader of a call that writes each argument for itself, between tags or as Python does. Strings between tags are
/// given as they arrive, other values when they are whole.
class TaggedCallReader : public CallReader {
 public:
  TaggedCallReader(const CallSyntax& syntax, const ToolSchemas& tools, CallSink& sink);

  Status read(std::string_view text, bool final) override;
  size_t end() const override { return at_; }
  bool whole() const override { return false; }

 private:
  enum class State : uint8_t { Head, Argument, Key, Value, Literal, Done };

  // Each takes what it can; true where the state has changed and the next one goes on.
  bool step(std::string_view text, bool final);
  bool read_head(std::string_view text, bool final);
  bool read_argument(std::string_view text, bool final);
  bool read_key(std::string_view text, bool final);
  bool read_value(std::string_view text, bool final);
  bool read_literal(std::string_view text, bool final);

  bool has_parts(std::string_view text) const;
  Match value_end(std::string_view text, bool final);
  bool begin_value(std::string key, bool is_other);
  bool give_value(std::string_view raw);
  void give_string(std::string_view piece);
  bool wrong();

  const CallSyntax& syntax_;
  const ToolSchemas& tools_;
  CallSink& sink_;
  CallHead head_;
  Mark open_, key_end_, key_end_other_, close_, separator_, end_;
  std::string lead_;   // whitespace that belongs to the mark before a value
  std::string trail_;  // and to the one behind it

  State state_ = State::Head;
  bool wrong_ = false;
  size_t at_ = 0;
  size_t arguments_ = 0;            // that were read
  std::vector<std::string> types_;  // that the value may have
  bool is_other_ = false;           // the mark before the value says that it is no string
  bool streams_ = false;            // the value is a string, given as it arrives
  size_t given_ = 0;                // how far the value was looked at, and given where it streams
  bool begun_ = false;              // the lead was skipped
  bool ended_ = false;              // a value with parts is over, and its mark must follow
  size_t behind_ = 0;               // from where that mark is looked for
  LiteralScanner scanner_;
};

}  // namespace cleave::response
