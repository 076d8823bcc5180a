#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::response {

/// A reader of a JSON object that arrives in pieces: it tells where values of the outer levels begin and end, and that
/// what it has seen can still become JSON. Line breaks and tabs within strings, which JSON forbids and models write,
/// are taken and remembered.
class JsonWalker {
 public:
  /// What the walker found; offsets are into the text. Depth 1 is the inside of the outermost object.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_key(size_t depth, std::string_view key_with_quotes) = 0;
    virtual void on_value_begin(size_t depth, size_t offset) = 0;
    virtual void on_value_end(size_t depth, size_t offset) = 0;
  };

  explicit JsonWalker(Listener* listener = nullptr) : listener_(listener) {}

  /// Goes on over a text, of which it has walked a part: the text is what it was, and longer. False where it cannot be
  /// JSON any more.
  bool walk(std::string_view text);
  bool complete() const { return state_ == State::Done; }
  /// How far it has walked: behind the object where that is complete.
  size_t position() const { return position_; }
  /// The part of the text from `begin` to `end` with the escapes that JSON wants in its strings.
  std::string escaped(std::string_view text, size_t begin, size_t end) const;

 private:
  enum class State : uint8_t {
    Start,
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    AfterValue,
    String,
    Escape,
    Unicode,
    Number,
    Word,
    Done
  };

  bool step(std::string_view text, char c);
  bool begin_value(std::string_view text, char c);
  bool step_after_value(char c);
  bool step_string(std::string_view text, char c);
  bool step_unicode(char c);
  bool step_number(std::string_view text, char c);
  bool step_word(char c);
  bool open(char bracket);
  bool close(char bracket);
  bool begin_string(bool is_key);
  void end_value(size_t end);

  Listener* listener_;
  State state_ = State::Start;
  size_t position_ = 0;
  std::string brackets_;    // that are open
  size_t token_begin_ = 0;  // of the string, number or word that is being read
  bool is_key_ = false;     // of the string that is being read
  uint32_t unicode_ = 0;    // of the escape that is being read
  int unicode_digits_ = 0;
  bool wants_low_surrogate_ = false;
  const char* word_rest_ = "";    // letters of true, false or null that are still to come
  std::vector<size_t> controls_;  // offsets of control characters within strings
};

}  // namespace cleave::response
