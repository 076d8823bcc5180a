#include "jinja/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jinja/arguments.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

void append_unit(uint32_t unit, std::string& out) {
  out += fmt::format("\\u{:04x}", unit);
}

void append_string(std::string_view text, bool ensure_ascii, std::string& out) {
  constexpr std::string_view kShort = "\"\\\n\r\t\f\b";
  constexpr std::string_view kLetters = "\"\\nrtfb";
  out.push_back('"');
  for (size_t i = 0; i < text.size();) {
    const unicode::Utf8Char c = unicode::utf8_at(text, i);
    const size_t known = c.code < 0x80 ? kShort.find(static_cast<char>(c.code)) : std::string_view::npos;
    if (known != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kLetters[known]);
    } else if (c.code < 0x20 || (ensure_ascii && c.code >= 0x7F && c.code < 0x10000)) {
      append_unit(c.code, out);
    } else if (ensure_ascii && c.code >= 0x10000) {
      append_unit(0xD800 + ((c.code - 0x10000) >> 10), out);
      append_unit(0xDC00 + ((c.code - 0x10000) & 0x3FF), out);
    } else {
      out.append(text.substr(i, c.size));
    }
    i += c.size;
  }
  out.push_back('"');
}

std::string float_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return repr_float(value);
}

class Writer {
 public:
  Writer(const JsonStyle& style, Context& context) : style_(style), context_(context) {}

  void write(const Value& value) {
    context_.meter().step();
    if (out_.size() > context_.meter().limits().output_bytes) raise("MemoryError", "a text beyond the limit of output");
    if (value.is_text()) {
      append_string(value.bytes(), style_.ensure_ascii, out_);
    } else if (value.is_dict()) {
      write_dict(value.as_dict());
    } else if (value.is_list() || value.is_sequence(Sequence::Type::Tuple)) {
      write_list(value.as_sequence().items);
    } else {
      out_ += scalar(value);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  static std::string scalar(const Value& value) {
    if (value.is_none()) return "null";
    if (value.is_bool()) return value.as_bool() ? "true" : "false";
    if (value.is_integer()) return std::to_string(value.as_integer());
    if (value.is_float()) return float_text(value.as_double());
    raise("TypeError", fmt::format("Object of type {} is not JSON serializable", type_name(value)));
  }

  static std::string key(const Value& value) {
    if (value.is_text()) return value.bytes();
    if (value.is_number() || value.is_none()) return scalar(value);
    raise("TypeError", fmt::format("keys must be str, int, float, bool or None, not {}", type_name(value)));
  }

  void write_list(const std::vector<Value>& items) {
    out_.push_back('[');
    ++level_;
    for (size_t i = 0; i < items.size(); ++i) {
      begin_item(i);
      write(items[i]);
    }
    --level_;
    end_items(items.size());
    out_.push_back(']');
  }

  void write_dict(const Dict& dict) {
    std::vector<const Dict::Entry*> entries;
    for (const Dict::Entry& entry : dict.entries()) entries.push_back(&entry);
    if (style_.sort_keys)
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const auto* a, const auto* b) { return less(a->first, b->first, context_.meter()); });
    out_.push_back('{');
    ++level_;
    for (size_t i = 0; i < entries.size(); ++i) {
      begin_item(i);
      append_string(key(entries[i]->first), style_.ensure_ascii, out_);
      out_ += style_.key_separator;
      write(entries[i]->second);
    }
    --level_;
    end_items(entries.size());
    out_.push_back('}');
  }

  void begin_item(size_t index) {
    if (index > 0) out_ += style_.item_separator;
    if (style_.indent) new_line();
  }
  void end_items(size_t count) {
    if (style_.indent && count > 0) new_line();
  }
  void new_line() {
    out_.push_back('\n');
    for (int i = 0; i < level_; ++i) out_ += *style_.indent;
  }

  const JsonStyle& style_;
  Context& context_;
  std::string out_;
  int level_ = 0;
};

}  // namespace

std::string to_json(const Value& value, const JsonStyle& style, Context& context) {
  Writer writer(style, context);
  writer.write(value);
  return writer.take();
}

Value tojson_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = bound.boolean(0, false);
  style.sort_keys = bound.boolean(3, false);
  if (const Value* indent = bound.find(1); indent != nullptr && !indent->is_none()) {
    constexpr int64_t kMaxIndent = 64;
    style.indent = indent->is_text()
                       ? indent->bytes()
                       : std::string(static_cast<size_t>(std::clamp(bound.integer(1, 0), int64_t{0}, kMaxIndent)), ' ');
    style.item_separator.assign(1, ',');
  }
  if (const Value* separators = bound.find(2); separators != nullptr && !separators->is_none()) {
    const std::vector<Value> pair = iterate(*separators, context.meter());
    if (pair.size() != 2)
      raise("ValueError", fmt::format("not enough values to unpack (expected 2, got {})", pair.size()));
    style.item_separator = context.str(pair[0]);
    style.key_separator = context.str(pair[1]);
  }
  return context.text(to_json(value, style, context));
}

}  // namespace cleave::jinja
