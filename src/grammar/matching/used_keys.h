#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::grammar {

/// The keys used so far in each open object of a JSON text. An automaton cannot tell that a key is the same as an
/// earlier one; this can. Keys have one spelling each (Encoding::Json). REQUIRES: the text is one that the grammar
/// allows. Not thread-safe.
class UsedKeys {
 public:
  class Trial;

  /// Goes on as a trial has done.
  void take(Trial&& trial);
  /// Whether an object or an array is open.
  bool inside() const { return !levels_.empty(); }
  /// Whether one of the open objects has a key. Where none has, no text repeats one that does not begin it.
  bool any() const;
  /// The number of quotes that a text must have to complete a key from here.
  size_t quotes_to_key() const { return in_string_ ? (is_key_ ? 1 : 3) : 2; }
  /// Whether a text that the grammar allows repeats a key.
  bool would_repeat(std::string_view text) const;

 private:
  struct Level {
    bool object;
    std::set<std::string, std::less<>> keys;
  };

  std::vector<Level> levels_;
  std::string key_;  // as far as it is read
  bool in_string_ = false;
  bool escaped_ = false;  // the last byte was a backslash
  bool is_key_ = false;   // the string that is open, or the next one, is a key
};

/// What further bytes would do, without the cost of a copy. Borrows the keys, which must not change meanwhile.
class UsedKeys::Trial {
 public:
  explicit Trial(const UsedKeys& keys)
      : base_(&keys),
        kept_(keys.levels_.size()),
        key_(keys.key_),
        in_string_(keys.in_string_),
        escaped_(keys.escaped_),
        is_key_(keys.is_key_) {}

  /// Takes the next byte. False where it completes a key that its object has already.
  bool add(char byte);
  bool inside() const { return kept_ > 0 || !opened_.empty(); }

 private:
  friend class UsedKeys;

  bool end_string();
  bool in_object() const;
  void close();

  const UsedKeys* base_;
  size_t kept_;                               // levels of the base that are still open
  std::set<std::string, std::less<>> added_;  // keys of the last of these
  std::vector<Level> opened_;                 // levels on top of them
  std::string key_;
  bool in_string_, escaped_, is_key_;
};

}  // namespace cleave::grammar
