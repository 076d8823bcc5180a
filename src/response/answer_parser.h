#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "response/response_parser.h"

namespace cleave::response {

/// A parser of one answer, of whatever form.
class AnswerParser {
 public:
  virtual ~AnswerParser() = default;
  virtual std::vector<ResponseEvent> feed(std::string_view text) = 0;
  virtual std::vector<ResponseEvent> finish() = 0;
  virtual bool in_reasoning() const = 0;
  virtual bool in_call() const = 0;
};

}  // namespace cleave::response
