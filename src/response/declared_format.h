#pragma once

#include "base/ordered_json.h"
#include "response/response_format.h"

namespace cleave::response {

/// The format that a checkpoint declares: the value of `response_template` in its tokenizer_config.json, as
/// Transformers (5.13 and later; docs, "Response Parsing") reads it. What it does not declare, and how messages are
/// written, is that of `found`. Patterns must be literals around named groups, as all known ones are.
///
/// Throws Error(Corrupt) for what is no response template, Unsupported for one that says more than ResponseFormat can.
ResponseFormat declared_format(const OrderedJson& declared, const ResponseFormat& found);

}  // namespace cleave::response
