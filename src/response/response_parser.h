#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "response/response_format.h"
#include "response/tool_schemas.h"

namespace cleave::response {

/// Something that an answer says.
struct ResponseEvent {
  enum class Type : uint8_t {
    Reasoning,      // text
    Content,        // text
    CallBegin,      // call, id, name
    CallArguments,  // call, text: a piece of JSON
    CallEnd,        // call, finished
    CallDropped,    // call: what began as this call is none; its text follows as content
  };
  Type type;
  std::string text;
  size_t call = 0;  // of the answer's calls, from 0
  std::string id;
  std::string name;
  bool finished = false;  // the call has its end; false where the answer was cut within it

  bool operator==(const ResponseEvent&) const = default;
};

/// What a parser must know of a request.
struct ParserSettings {
  /// Those that the model may call. Without any, calls are not looked for.
  ToolSchemas tools;
  /// The prompt, or its end, which may open the reasoning (ResponseFormat::begins_in_reasoning()).
  std::string prompt;
  /// Reasoning is content, marks and all.
  bool keeps_reasoning = false;
  /// A grammar holds the answer: it is reasoning, if any, then calls or content to the end. Marks are looked for only
  /// where they can stand, so that what looks like one within the content is content.
  bool is_held = false;
  /// Another for each answer: ids of calls come from it.
  uint64_t id_seed = 0;
};

/// A parser of one answer, which takes its text as it streams and tells its reasoning, its content and its calls. The
/// events are the same however the text is cut, but for pieces of one text or of one call's arguments, which follow
/// each other. Text that may become a mark is held back.
///
/// The text is that of all tokens of the answer but the one that ends it, with special tokens as text where
/// ResponseFormat::is_mark() says so and without the others.
///
/// Content and reasoning have no whitespace where marks are around them. What opens like a call and is none is content.
/// Where tools are known by a mark, a call of an unknown tool is told as it is, so that an agent can answer that there
/// is no such tool; where only the form of the text makes it a call (ResponseFormat's CallSyntax::is_bare()), it must
/// be of a known tool. A call that begins and turns out to be malformed is dropped, and its text is content; a call
/// that the end of the answer cuts is not finished. Ids are those that the model writes, or nine letters and digits.
///
/// The format must outlive the parser. Not thread-safe.
class ResponseParser {
 public:
  ResponseParser(const ResponseFormat& format, ParserSettings settings);
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;
  ~ResponseParser();

  /// The events of the next piece of text, which may end anywhere, within a character, too.
  std::vector<ResponseEvent> feed(std::string_view text);
  /// What is left at the end of the answer, whether the model or a limit ended it.
  std::vector<ResponseEvent> finish();

  /// Whether the answer is in the middle of its reasoning: what may come next is not yet content.
  bool in_reasoning() const;
  /// Whether the answer is in the middle of a call.
  bool in_call() const;

 private:
  std::unique_ptr<class AnswerParser> parser_;
};

/// Puts events together that are pieces of one thing, so that there is one for each text and for each call's arguments.
std::vector<ResponseEvent> merged(const std::vector<ResponseEvent>& events);

}  // namespace cleave::response
