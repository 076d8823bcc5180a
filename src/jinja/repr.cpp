#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "jinja/value.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

void append_escape(char32_t code, std::string& out) {
  out += code < 0x100     ? fmt::format("\\x{:02x}", static_cast<uint32_t>(code))
         : code < 0x10000 ? fmt::format("\\u{:04x}", static_cast<uint32_t>(code))
                          : fmt::format("\\U{:08x}", static_cast<uint32_t>(code));
}

// A string as Python writes it: in single quotes, unless it contains those and no double quotes.
void append_repr(std::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out.push_back(quote);
  for (size_t i = 0; i < text.size();) {
    const unicode::Utf8Char c = unicode::utf8_at(text, i);
    if (c.code == U'\n') {
      out += "\\n";
    } else if (c.code == U'\r') {
      out += "\\r";
    } else if (c.code == U'\t') {
      out += "\\t";
    } else if (c.code == U'\\' || c.code == static_cast<char32_t>(quote)) {
      out.push_back('\\');
      out.push_back(static_cast<char>(c.code));
    } else if (!unicode::is_printable(c.code)) {
      append_escape(c.code, out);
    } else {
      out.append(text.substr(i, c.size));
    }
    i += c.size;
  }
  out.push_back(quote);
}

// Appends a value as Python writes it.
class Printer {
 public:
  Printer(Meter& meter, std::string& out) : meter_(meter), out_(out) {}

  void print(const Value& value) {
    meter_.step();
    if (out_.size() > meter_.limits().output_bytes) raise("MemoryError", "a text beyond the limit of output");
    if (value.is_none()) {
      out_ += "None";
    } else if (value.is_undefined()) {
      out_ += "Undefined";
    } else if (value.is_bool()) {
      out_ += value.as_bool() ? "True" : "False";
    } else if (value.is_integer()) {
      out_ += std::to_string(value.as_integer());
    } else if (value.is_float()) {
      out_ += repr_float(value.as_double());
    } else if (value.is_text()) {
      if (value.is_markup()) out_ += "Markup(";
      append_repr(value.bytes(), out_);
      if (value.is_markup()) out_ += ")";
    } else if (value.is_dict()) {
      print_dict(value.as_dict());
    } else if (value.is_sequence()) {
      print_sequence(value);
    } else {
      out_ += value.as_object().repr();
    }
  }

 private:
  void print_items(const std::vector<Value>& items) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ", ";
      print(items[i]);
    }
  }

  void print_dict(const Dict& dict) {
    out_.push_back('{');
    for (size_t i = 0; i < dict.entries().size(); ++i) {
      if (i > 0) out_ += ", ";
      print(dict.entries()[i].first);
      out_ += ": ";
      print(dict.entries()[i].second);
    }
    out_.push_back('}');
  }

  void print_sequence(const Value& value) {
    const std::vector<Value>& items = value.as_sequence().items;
    switch (value.as_sequence().type) {
      case Sequence::Type::List:
        out_.push_back('[');
        print_items(items);
        out_.push_back(']');
        return;
      case Sequence::Type::Tuple:
        out_.push_back('(');
        print_items(items);
        out_ += items.size() == 1 ? ",)" : ")";
        return;
      case Sequence::Type::Generator:
        out_ += "<generator object>";
        return;
      case Sequence::Type::Range: {
        const int64_t first = items.empty() ? 0 : items[0].as_integer();
        const int64_t step = items.size() < 2 ? 1 : items[1].as_integer() - first;
        const int64_t end = items.empty() ? 0 : items.back().as_integer() + step;
        out_ +=
            step == 1 ? fmt::format("range({}, {})", first, end) : fmt::format("range({}, {}, {})", first, end, step);
        return;
      }
      default:
        out_ += type_name(value) + "([";
        print_items(items);
        out_ += "])";
    }
  }

  Meter& meter_;
  std::string& out_;
};

}  // namespace

std::string repr_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto scientific = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(scientific.ptr - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  std::string plain(buffer, static_cast<size_t>(fixed.ptr - buffer));
  return plain.find('.') == std::string::npos ? plain + ".0" : plain;
}

std::string repr(const Value& value, Meter& meter) {
  std::string out;
  Printer(meter, out).print(value);
  return out;
}

std::string ascii(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const unicode::Utf8Char c = unicode::utf8_at(text, i);
    if (c.code < 0x80)
      out.push_back(static_cast<char>(c.code));
    else
      append_escape(c.code, out);
    i += c.size;
  }
  return out;
}

std::string str(const Value& value, Meter& meter) {
  if (value.is_text()) return value.bytes();
  if (value.is_undefined()) return "";
  return repr(value, meter);
}

}  // namespace cleave::jinja
