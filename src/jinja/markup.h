#pragma once

#include <string>
#include <string_view>

#include "jinja/context.h"

namespace cleave::jinja {

// Markup: a text that the filters `safe` and `escape` give (MarkupSafe's class of that name). It is a text like others,
// but what is put together with it is escaped for HTML, also where a template has nothing to do with HTML.

/// The text with &, <, >, ' and " as entities of HTML.
std::string escape_html(std::string_view text);
/// The text with the entities that escape_html() writes, &quot;, &apos; and numbered ones as characters.
std::string unescape_html(std::string_view text);
/// A markup of the value: as it is where it is one, otherwise of its escaped text.
Value escaped(const Value& value, Context& context);

/// Calls a method of str on a markup: arguments that become part of the text are escaped, and texts in the result are
/// markup. REQUIRES: self.is_markup().
Value call_on_markup(Value (*method)(Context&, const Value&, const Arguments&), const std::string& name,
                     const Value& self, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
