#pragma once

#include <memory>

#include "response/answer_parser.h"

namespace cleave::response {

/// A parser of answers that are messages in channels: header, mark, text, end, and the next header. REQUIRES:
/// format.channels, which must outlive it.
std::unique_ptr<AnswerParser> make_channel_parser(const ResponseFormat& format, ParserSettings settings);

}  // namespace cleave::response
