#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "response/message_traits.h"

namespace cleave::response {

/// How values are written: as JSON has it, or otherwise.
struct LiteralStyle {
  bool python = false;       // True, False and None; strings in either kind of quotes
  bool bare_keys = false;    // keys of objects have no quotes
  std::string quote = "\"";  // before and behind a string; one that is not JSON's knows no escapes

  bool is_json() const { return !python && !bare_keys && quote == "\""; }
  bool operator==(const LiteralStyle&) const = default;
};

/// A piece of a call between its opening and its arguments.
struct HeadPiece {
  enum class Kind : uint8_t {
    Literal,
    Name,
    Id,
    NamedId,    // an id that holds the name: text, name, ":" and a number
    Arguments,  // only where a whole call is described
  };
  Kind kind;
  std::string text = {};  // of a Literal; of a NamedId what precedes the name

  bool operator==(const HeadPiece&) const = default;
};

/// Where an object that is a call has its parts.
struct CallKeys {
  std::string function;  // the member in which name and arguments are; "" where they are in the object itself
  std::string name;      // "" where the name is itself the key of the arguments
  std::string arguments;
  std::string id;           // "" where a call has none
  bool id_is_last = false;  // the id stands behind the arguments

  bool operator==(const CallKeys&) const = default;
};

/// The marks around the arguments of a call that writes each for itself.
struct ArgumentMarks {
  std::string open;           // before the key
  std::string key_end;        // between the key and a value that is a string
  std::string key_end_other;  // between the key and any other value, where that differs; otherwise ""
  std::string close;          // behind the value; "" where values end by themselves
  std::string separator;      // between two arguments
  std::string end;            // behind all of them
  bool raw_strings = true;    // strings stand between the marks as they are; otherwise all values are literals

  bool operator==(const ArgumentMarks&) const = default;
};

enum class CallKind : uint8_t {
  None,
  Object,    // an object with name and arguments
  Named,     // the name, then an object of arguments
  Tagged,    // the name, then each argument between marks: tags, or Python's f(a=1)
  Channels,  // a message to a tool (ChannelSyntax)
};

/// How calls of tools are written.
struct CallSyntax {
  CallKind kind = CallKind::None;
  std::string section_open;  // before all calls of an answer; "" where each stands for itself
  std::string section_close;
  std::string open;  // before each call
  std::string close;
  std::string separator;           // between two calls
  std::vector<HeadPiece> head;     // of kinds Named and Tagged
  CallKeys keys;                   // of kind Object
  std::vector<HeadPiece> written;  // of kind Object: the object as the template writes it
  ArgumentMarks arguments;         // of kind Tagged
  LiteralStyle style;              // of the object, the arguments or the values
  bool several = false;            // one answer may have several calls
  bool instructed = false;         // found in what a prompt says of tools, since the template writes no calls

  /// Whether a call has no mark of its own before it, so that only its form and its name tell it from other text.
  bool is_bare() const;
  bool operator==(const CallSyntax&) const = default;
};

/// How an answer of several messages is written, each in a channel (OpenAI's Harmony).
struct ChannelSyntax {
  std::string start;              // before a message's author: "<|start|>"
  std::string author;             // the model: "assistant"
  std::string channel;            // before a channel's name: "<|channel|>"
  std::string message;            // between the header and the text: "<|message|>"
  std::vector<std::string> ends;  // behind the text: "<|end|>", "<|return|>", "<|call|>"
  std::string reasoning;          // channels by their meaning: "analysis"
  std::string content;            // "final"
  std::string recipient;          // before a tool's name in a header: "to=functions."
  std::string call_header;        // what precedes the arguments of a call, with a name of "\0": for forced calls

  bool operator==(const ChannelSyntax&) const = default;
};

/// Where a ResponseFormat comes from.
enum class FormatSource : uint8_t {
  Declared,  // the checkpoint's response_template
  Template,  // renderings of its chat template
  Nowhere,   // answers are text
};

/// What an answer of a model looks like: what of it is reasoning, what content, what a call of a tool. Literals are as
/// the template writes them, whitespace included; "" is for what there is not. find_response_format() makes one.
/// Immutable once it is made.
struct ResponseFormat {
  FormatSource source = FormatSource::Nowhere;
  std::string reasoning_open;
  std::string reasoning_close;          // "": the model does not reason
  bool prompt_opens_reasoning = false;  // an ordinary prompt ends with reasoning_open
  std::string content_open;
  std::string content_close;
  CallSyntax calls;
  std::optional<ChannelSyntax> channels;
  MessageTraits traits;
  std::vector<std::string> notes;  // what was refused or doubtful on the way, for a log

  bool reasons() const { return !reasoning_close.empty() || channels.has_value(); }
  /// Whether the answer to a prompt begins within reasoning, because the prompt ends with its opening.
  bool begins_in_reasoning(std::string_view prompt) const;
  /// Whether a special token has a meaning for the parser. All others are no part of an answer's text.
  bool is_mark(std::string_view special_token) const;
};

/// The same format with calls for models that have none of their own: an answer that begins with
/// {"name": "f", "arguments": {...}}. REQUIRES: no channels.
ResponseFormat with_plain_calls(ResponseFormat format);

}  // namespace cleave::response
