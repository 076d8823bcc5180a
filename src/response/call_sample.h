#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "response/literal.h"
#include "response/probe.h"
#include "response/response_format.h"

namespace cleave::response {

/// A part of a rendering.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

/// Where one call stands in a rendering.
struct CallSpan {
  Span whole;  // from the first to the last of its parts
  Span name;
  Span arguments;  // an object of them; for tagged calls from the first key to the last value
};

/// A rendering of calls, cut to what the model writes of it.
struct CallSample {
  std::string text;
  std::vector<ProbeCall> calls;
};

/// A call that is an object, and its keys; nothing where `text` has none from `begin` on.
struct ObjectCall {
  CallSpan span;
  CallKeys keys;
  LiteralStyle style;
};
std::optional<ObjectCall> find_object_call(const std::string& text, size_t begin, const ProbeCall& call);

/// An object that is the arguments of a call, behind its name.
struct NamedCall {
  CallSpan span;
  LiteralStyle style;
};
std::optional<NamedCall> find_named_call(const std::string& text, size_t begin, const ProbeCall& call);

/// A call whose keys and values each stand for themselves, in their order.
std::optional<CallSpan> find_tagged_call(const std::string& text, size_t begin, const ProbeCall& call);

}  // namespace cleave::response
