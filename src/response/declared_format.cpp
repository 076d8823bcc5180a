#include "response/declared_format.h"

#include <array>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "response/mark.h"
#include "response/simple_pattern.h"

namespace cleave::response {
namespace {

using Parts = std::vector<PatternPart>;

[[noreturn]] void unsupported(const std::string& what) {
  fail(ErrorKind::Unsupported, "response_template: {} is not supported", what);
}

[[noreturn]] void corrupt(const std::string& what) {
  fail(ErrorKind::Corrupt, "response_template: {}", what);
}

std::string string_in(const OrderedJson& object, const char* key, const std::string& otherwise = "") {
  if (!object.is_object() || !object.contains(key)) return otherwise;
  if (!object[key].is_string()) corrupt(fmt::format("\"{}\": wanted a string", key));
  return object[key].get<std::string>();
}

/// A field of the template: what stands around it and what it becomes.
class Field {
 public:
  Field(std::string name, const OrderedJson& json) : name_(std::move(name)), json_(json) {
    if (!json.is_object()) corrupt("field " + in_quotes(name_) + ": wanted an object");
    for (const auto& [key, value] : json.items()) {
      constexpr std::array kKnown = {"open",     "open_pattern", "close",         "close_pattern",
                                     "content",  "content_args", "repeats",       "join",
                                     "optional", "transform",    "transform_each"};
      if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end())
        unsupported("key " + in_quotes(key) + " of field " + in_quotes(name_));
    }
  }

  Parts open() const { return parts("open", "open_pattern"); }
  std::string close() const { return literal(parts("close", "close_pattern")); }
  std::string content() const { return string_in(json_, "content", "text"); }
  OrderedJson arguments() const { return json_.value("content_args", OrderedJson::object()); }
  bool is_each() const { return json_.value("transform_each", OrderedJson(false)) == true; }

  /// The placeholder at a place of the transform, without its braces: "content.name".
  std::string placeholder(std::initializer_list<const char*> path) const {
    const OrderedJson* at = json_.contains("transform") ? &json_["transform"] : nullptr;
    for (const char* key : path) at = at != nullptr && at->is_object() && at->contains(key) ? &(*at)[key] : nullptr;
    if (at == nullptr || !at->is_string()) return "";
    const std::string text = at->get<std::string>();
    return text.size() > 2 && text.front() == '{' && text.back() == '}' ? text.substr(1, text.size() - 2) : "";
  }

  std::string literal(const Parts& parts) const {
    if (parts.empty()) return "";
    if (parts.size() > 1 || parts[0].is_group) unsupported("a pattern of field " + in_quotes(name_));
    return parts[0].text;
  }

 private:
  Parts parts(const char* literal_key, const char* pattern_key) const {
    if (json_.contains(pattern_key)) {
      std::optional<Parts> pattern = simple_pattern(string_in(json_, pattern_key));
      if (!pattern) unsupported(fmt::format("{} of field {}", pattern_key, in_quotes(name_)));
      return *pattern;
    }
    if (!json_.contains(literal_key)) return {};
    const OrderedJson& value = json_[literal_key];
    const OrderedJson& first = value.is_array() && !value.empty() ? value[0] : value;
    if (!first.is_string()) corrupt(fmt::format("{} of field {}: wanted a string", literal_key, in_quotes(name_)));
    const std::string text = first.get<std::string>();
    return text == "eos" ? Parts{} : Parts{{false, text}};
  }

  std::string name_;
  const OrderedJson& json_;
};

std::string last_key(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

LiteralStyle style_of(const OrderedJson& arguments) {
  LiteralStyle style;
  style.bare_keys = arguments.value("unquoted_keys", OrderedJson(false)) == true;
  const OrderedJson quotes = arguments.value("string_delims", OrderedJson::array());
  if (!quotes.is_array() || quotes.empty()) return style;
  const bool is_pair = quotes.size() == 1 && quotes[0].is_array() && quotes[0].size() == 2 && quotes[0][0].is_string();
  if (!is_pair || quotes[0][0] != quotes[0][1]) unsupported("\"string_delims\" of other kinds");
  style.quote = quotes[0][0].get<std::string>();
  return style;
}

/// The calls of a template.
class DeclaredCalls {
 public:
  explicit DeclaredCalls(const Field& field) : field_(field) {}

  CallSyntax read() {
    syntax_.several = true;
    const std::string content = field_.content();
    if (content == "json")
      read_json();
    else if (content == "xml-inline")
      read_tags();
    else if (content == "python-call-list")
      read_python();
    else
      unsupported("content " + in_quotes(content) + " of calls");
    return std::move(syntax_);
  }

 private:
  void read_json() {
    syntax_.style = style_of(field_.arguments());
    const std::string name = field_.placeholder({"function", "name"});
    const std::string arguments = field_.placeholder({"function", "arguments"});
    const bool name_is_inside = field_.is_each() || name.substr(0, 8) == "content.";
    if (name.empty() || arguments.empty()) unsupported("a transform without name and arguments");
    if (!name_is_inside) {
      syntax_.kind = CallKind::Named;
      read_head();
      syntax_.close = field_.close();
      return;
    }
    syntax_.kind = CallKind::Object;
    syntax_.keys.name = last_key(name);
    syntax_.keys.arguments = last_key(arguments);
    const std::string open = field_.literal(field_.open());
    if (!field_.is_each()) {
      syntax_.open = open;
      syntax_.close = field_.close();
      return;
    }
    syntax_.section_open = open + "[";
    syntax_.section_close = "]" + field_.close();
    syntax_.separator = ", ";
  }

  void read_tags() {
    syntax_.kind = CallKind::Tagged;
    read_head();
    syntax_.arguments.end = field_.close();
    const std::optional<Parts> tag = simple_pattern(string_in(field_.arguments(), "tag_pattern"));
    const bool is_known = tag && tag->size() >= 4 && !(*tag)[0].is_group && (*tag)[1].is_group && !(*tag)[2].is_group &&
                          (*tag)[3].is_group && (*tag)[1].text == "key" && (*tag)[3].text == "value";
    if (!is_known) unsupported("this \"tag_pattern\"");
    syntax_.arguments.open = (*tag)[0].text;
    syntax_.arguments.key_end = as_newline((*tag)[2].text);
    if (tag->size() > 4) syntax_.arguments.close = as_newline((*tag)[4].text);
  }

  // Whitespace next to a value is one line break, as templates write it.
  static std::string as_newline(std::string text) {
    if (!text.empty() && text.front() == ' ') text.front() = '\n';
    if (text.size() > 1 && text.back() == ' ') text.back() = '\n';
    return text;
  }

  void read_python() {
    syntax_.kind = CallKind::Tagged;
    syntax_.section_open = field_.literal(field_.open()) + "[";
    syntax_.section_close = "]" + field_.close();
    syntax_.separator = ", ";
    syntax_.head = {{HeadPiece::Kind::Name}, {HeadPiece::Kind::Literal, "("}};
    syntax_.arguments.raw_strings = false;
    syntax_.arguments.key_end = "=";
    syntax_.arguments.separator = ", ";
    syntax_.arguments.end = ")";
    syntax_.style.python = true;
  }

  // What precedes the arguments, from the pattern that opens a call.
  void read_head() {
    const std::string name = field_.placeholder({"function", "name"});
    const std::string id = field_.placeholder({"id"});
    for (const PatternPart& part : field_.open()) {
      if (!part.is_group && syntax_.head.empty() && syntax_.open.empty())
        syntax_.open = part.text;
      else if (!part.is_group)
        syntax_.head.push_back({HeadPiece::Kind::Literal, part.text});
      else if (part.text == name)
        syntax_.head.push_back({HeadPiece::Kind::Name});
      else if (part.text == id)
        syntax_.head.push_back({HeadPiece::Kind::Id});
      else
        unsupported("group " + in_quotes(part.text));
    }
  }

  const Field& field_;
  CallSyntax syntax_;
};

void read_field(const std::string& name, const OrderedJson& json, ResponseFormat& format) {
  const Field field(name, json);
  if (name == "tool_calls") {
    format.calls = DeclaredCalls(field).read();
  } else if (name == "content") {
    format.content_open = field.literal(field.open());
    format.content_close = field.close();
  } else if (name == "thinking" || name == "reasoning_content" || name == "reasoning") {
    format.reasoning_open = field.literal(field.open());
    format.reasoning_close = field.close();
  } else {
    unsupported("field " + in_quotes(name));
  }
}

}  // namespace

ResponseFormat declared_format(const OrderedJson& declared, const ResponseFormat& found) {
  if (!declared.is_object() || !declared.contains("fields") || !declared["fields"].is_object())
    corrupt("wanted an object with \"fields\"");
  if (declared.value("version", OrderedJson(1)) != 1) unsupported("its version");
  for (const auto& [key, value] : declared.items())
    if (key != "version" && key != "defaults" && key != "fields" && key != "start_anchor" &&
        key != "start_anchor_pattern")
      unsupported("key " + in_quotes(key));
  ResponseFormat format;
  format.source = FormatSource::Declared;
  format.traits = found.traits;
  format.prompt_opens_reasoning = found.prompt_opens_reasoning;
  for (const auto& [name, json] : declared["fields"].items()) read_field(name, json, format);
  return format;
}

}  // namespace cleave::response
