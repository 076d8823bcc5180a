#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "response/answer_parser.h"
#include "response/event_writer.h"
#include "response/mark.h"

namespace cleave::response {

/// A parser of answers in which marks stand around reasoning, content and calls.
class MarkedAnswerParser : public AnswerParser {
 public:
  MarkedAnswerParser(const ResponseFormat& format, ParserSettings settings);

  std::vector<ResponseEvent> feed(std::string_view text) override;
  std::vector<ResponseEvent> finish() override;
  bool in_reasoning() const override { return state_ == State::Reasoning; }
  bool in_call() const override { return writer_.call_begun(); }

 private:
  enum class State : uint8_t {
    Content,
    Start,  // of an answer that a grammar holds: before its reasoning, its calls or its content
    Held,   // the content of one, up to the end
    Reasoning,
    Section,  // within the section of calls, before a call
    Call,     // within a call
    Closing,  // behind a call, before its closing mark
    Behind,   // behind a call
  };

  // Takes what it can of the text; `final`: nothing will follow.
  void run(bool final);

  // One step: true where there may be a next one.
  bool step(bool final);
  bool read_content(bool final);
  bool read_start(bool final);
  bool read_held(bool final);
  bool read_reasoning(bool final);
  bool read_section(bool final);
  bool read_call(bool final);
  bool read_closing(bool final);
  bool read_behind(bool final);

  /// The first of several marks in the text.
  struct Found {
    const Mark* mark = nullptr;
    Match match{Fit::No, std::string::npos, 0};
  };
  void look_for(const Mark& mark, bool final, Found& found) const;

  // Gives the text before what was found; true where that is a whole mark.
  bool give_before(ResponseEvent::Type type, const Found& found, bool final);

  // The first of these marks that is at a place, or may become one there.
  Found first_at(std::initializer_list<const Mark*> marks, size_t begin, bool final) const;
  std::optional<bool> skip_close(bool final);
  // A call that nothing but its form tells can only be at the beginning.
  std::optional<bool> try_bare_call(bool final);
  bool begin_calls(const Found& found, State resume);
  void skip_spaces();

  // What a mark is at this place; what may become it at the end of the answer is none.
  Match match_here(const Mark& mark, bool final) const;
  bool begin_call();

  // What looked like a call is text; what is within it may be another.
  bool fail_call();

  const CallSyntax& syntax_;
  ParserSettings settings_;
  EventWriter writer_;
  bool calls_;
  bool bare_;
  std::string content_end_;  // the closing mark of content, without whitespace around it
  Mark reasoning_open_, reasoning_close_;
  Mark content_open_, content_close_;
  Mark section_open_, section_close_;
  Mark call_open_, call_close_, separator_;

  State state_ = State::Content;
  State resume_ = State::Content;  // where a call that is none was found
  std::string text_;
  size_t at_ = 0;       // before it all is told
  size_t skip_ = 0;     // bytes from there on that begin no mark
  size_t attempt_ = 0;  // where the call begins that is being read, with its opening
  std::unique_ptr<CallReader> reader_;
};

}  // namespace cleave::response
