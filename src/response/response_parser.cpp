#include "response/response_parser.h"

#include "response/channel_parser.h"
#include "response/marked_answer_parser.h"

namespace cleave::response {
namespace {

std::unique_ptr<AnswerParser> make_parser(const ResponseFormat& format, ParserSettings settings) {
  if (format.channels) return make_channel_parser(format, std::move(settings));
  return std::make_unique<MarkedAnswerParser>(format, std::move(settings));
}

}  // namespace

ResponseParser::ResponseParser(const ResponseFormat& format, ParserSettings settings)
    : parser_(make_parser(format, std::move(settings))) {}
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;
ResponseParser::~ResponseParser() = default;

std::vector<ResponseEvent> ResponseParser::feed(std::string_view text) {
  return parser_->feed(text);
}

std::vector<ResponseEvent> ResponseParser::finish() {
  return parser_->finish();
}

bool ResponseParser::in_reasoning() const {
  return parser_->in_reasoning();
}

bool ResponseParser::in_call() const {
  return parser_->in_call();
}

std::vector<ResponseEvent> merged(const std::vector<ResponseEvent>& events) {
  std::vector<ResponseEvent> result;
  for (const ResponseEvent& event : events) {
    const bool grows = event.type == ResponseEvent::Type::Reasoning || event.type == ResponseEvent::Type::Content ||
                       event.type == ResponseEvent::Type::CallArguments;
    if (grows && !result.empty() && result.back().type == event.type && result.back().call == event.call)
      result.back().text += event.text;
    else
      result.push_back(event);
  }
  return result;
}

}  // namespace cleave::response
