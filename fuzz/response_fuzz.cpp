#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "fuzz_target.h"
#include "response/find_format.h"
#include "response/response_parser.h"
#include "response/testing/templates.h"
#include "unicode/utf8.h"

namespace {

using cleave::response::ResponseEvent;
using cleave::response::ResponseFormat;

std::vector<ResponseFormat> formats() {
  namespace response = cleave::response;
  std::vector<ResponseFormat> all;
  for (const response::TestTemplate& test :
       {response::kHermes, response::kThinkingPrompt, response::kTags, response::kTypedTags, response::kList,
        response::kNamed, response::kNumbered, response::kFenced, response::kPython, response::kQuotes, response::kBare,
        response::kWrapped, response::kChannels}) {
    const cleave::text::ChatFormat chat({{"default", test.source}}, cleave::Json::object(), test.name);
    all.push_back(response::find_response_format(chat));
  }
  return all;
}

std::vector<ResponseEvent> read(const ResponseFormat& format, std::string_view answer, size_t piece, bool is_held) {
  cleave::response::ParserSettings settings;
  settings.is_held = is_held;
  settings.tools = cleave::response::ToolSchemas(
      R"([{"name": "f", "parameters": {"properties": {"s": {"type": "string"}, "n": {"type": "number"}}}}])");
  cleave::response::ResponseParser parser(format, std::move(settings));
  std::vector<ResponseEvent> events;
  for (size_t at = 0; at < answer.size(); at += piece)
    for (ResponseEvent& event : parser.feed(answer.substr(at, piece))) events.push_back(std::move(event));
  for (ResponseEvent& event : parser.finish()) events.push_back(std::move(event));
  return cleave::response::merged(events);
}

// Arguments of a call that is finished are JSON, unless the answer is not even UTF-8.
void check_arguments(const std::vector<ResponseEvent>& events) {
  for (size_t i = 1; i < events.size(); ++i) {
    if (events[i].type != ResponseEvent::Type::CallEnd || !events[i].finished) continue;
    const std::string& arguments = events[i - 1].text;
    if (cleave::unicode::is_utf8(arguments) && !cleave::Json::accept(arguments)) std::abort();
  }
}

// A letter that chooses a format, and an answer, which is read the same whole and in pieces.
void parse(std::span<const std::byte> bytes) {
  static const std::vector<ResponseFormat> all = formats();
  if (bytes.empty()) return;
  const ResponseFormat& format = all[static_cast<size_t>(bytes[0]) % all.size()];
  const std::string_view answer(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  for (const bool is_held : {false, true}) {
    const std::vector<ResponseEvent> whole = read(format, answer, answer.size() + 1, is_held);
    for (const size_t piece : std::array<size_t, 3>{1, 2, 7})
      if (read(format, answer, piece, is_held) != whole) std::abort();
    check_arguments(whole);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, parse);
}
