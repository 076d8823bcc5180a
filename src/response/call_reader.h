#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "response/response_format.h"
#include "response/tool_schemas.h"

namespace cleave::response {

/// Where a CallReader puts what it reads.
class CallSink {
 public:
  virtual ~CallSink() = default;
  /// The call's name, and the id where the model wrote one. False where there is no such tool and it must be one.
  virtual bool on_call(const std::string& name, const std::string& id) = 0;
  /// A piece of the arguments, which are JSON when all pieces are put together. After on_call().
  virtual void on_arguments(std::string piece) = 0;
};

/// A reader of one call that arrives in pieces.
class CallReader {
 public:
  enum class Status {
    More,   // the text ends within the call
    Done,   // the call ends at end()
    Wrong,  // this is no call
  };

  virtual ~CallReader() = default;
  /// Goes on over a text that begins behind the call's opening and that is what it was, and longer. `final`: nothing
  /// will follow.
  virtual Status read(std::string_view text, bool final) = 0;
  /// Bytes of the text that belong to the call.
  virtual size_t end() const = 0;
  /// Whether the call has all its arguments, though the text may end before its closing.
  virtual bool whole() const = 0;
};

/// A reader of calls of that syntax. All that it is given must outlive it. REQUIRES: kind Object, Named or Tagged.
std::unique_ptr<CallReader> make_call_reader(const CallSyntax& syntax, const ToolSchemas& tools, CallSink& sink);

/// A reader of nothing but a JSON object of arguments, of a call whose name is known.
std::unique_ptr<CallReader> make_arguments_reader(CallSink& sink);

}  // namespace cleave::response
