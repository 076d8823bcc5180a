#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "response/mark.h"
#include "response/response_format.h"

namespace cleave::response {

/// A reader of what stands between a call's opening and its arguments, which is short and read anew each time. The
/// syntax must outlive it.
class CallHead {
 public:
  explicit CallHead(const CallSyntax& syntax) : syntax_(syntax) {}

  /// Reads from the beginning of a text. Yes: name(), id() and end() are known.
  Fit read(std::string_view text, bool final);

  const std::string& name() const { return name_; }
  const std::string& id() const { return id_; }
  size_t end() const { return end_; }

 private:
  Fit read_piece(size_t index, std::string_view text, bool final);
  Fit read_word(std::string_view stop, std::string_view text, bool final, std::string& word);
  bool take_named_id(const std::string& prefix);

  const CallSyntax& syntax_;
  std::string name_;
  std::string id_;
  size_t end_ = 0;
};

}  // namespace cleave::response
