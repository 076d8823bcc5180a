#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/token_constraint.h"
#include "response/response_parser.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::server {

/// A constraint that ends an answer's reasoning after so many tokens, by the tokens of its closing mark, and of
/// channels by those of the next message's header, too; otherwise another constraint holds, if there is one. A
/// character that the last token of the reasoning begins is completed first. Belongs to one answer.
class ThinkingBudget final : public engine::TokenConstraint {
 public:
  struct Settings {
    int64_t tokens = 0;               // of reasoning, its marks not counted
    response::ResponseFormat format;  // which reasons
    response::ParserSettings parser = {};
    std::string header = {};  // AnswerHold::header
  };

  /// The tokenizer must outlive it; `inner` may be null.
  ThinkingBudget(Settings settings, const text::Tokenizer& tokenizer, std::shared_ptr<engine::TokenConstraint> inner);

  void mask(std::span<uint32_t> allowed) override;
  void accept(int32_t token) override;

 private:
  void begin_closing();

  const int64_t budget_;
  const response::ResponseFormat format_;
  const text::Tokenizer& tokenizer_;
  const std::shared_ptr<engine::TokenConstraint> inner_;
  response::ResponseParser parser_;
  const std::vector<int32_t> closing_;  // tokens of the mark
  size_t next_;                         // of them, the one that must come; all of them: none must
  int64_t used_ = 0;
  std::string tail_;  // the last bytes of the text
};

}  // namespace cleave::server
