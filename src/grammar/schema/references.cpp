#include "grammar/schema/references.h"

#include <charconv>
#include <vector>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"

namespace cleave::grammar {
namespace {

int hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if ((digit | 32) >= 'a' && (digit | 32) <= 'f') return (digit | 32) - 'a' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool encoded =
        text[i] == '%' && i + 2 < text.size() && hexadecimal(text[i + 1]) >= 0 && hexadecimal(text[i + 2]) >= 0;
    decoded += encoded ? static_cast<char>(hexadecimal(text[i + 1]) * 16 + hexadecimal(text[i + 2])) : text[i];
    if (encoded) i += 2;
  }
  return decoded;
}

// A segment of a pointer as it is: "~1" is "/" and "~0" is "~".
std::string unescaped(std::string_view segment) {
  std::string text;
  for (size_t i = 0; i < segment.size(); ++i) {
    const bool escaped = segment[i] == '~' && i + 1 < segment.size();
    text += !escaped ? segment[i] : segment[++i] == '1' ? '/' : '~';
  }
  return text;
}

// The member or element that one segment of a pointer names; null where there is none.
const OrderedJson* child(const OrderedJson& node, const std::string& segment) {
  if (node.is_object()) {
    const auto found = node.find(segment);
    return found == node.end() ? nullptr : &*found;
  }
  size_t index = 0;
  const auto read = std::from_chars(segment.data(), segment.data() + segment.size(), index);
  const bool is_index = read.ec == std::errc() && read.ptr == segment.data() + segment.size();
  return node.is_array() && is_index && index < node.size() ? &node[index] : nullptr;
}

}  // namespace

References::References(const OrderedJson& root) : root_(root) {
  add(root, true);
}

// The document's nesting is bounded by its parser.
void References::add(const OrderedJson& node, bool is_root) {
  if (!is_root && node.is_object() && node.contains("$id") && node.at("$id").is_string()) has_inner_ids_ = true;
  if (node.is_object()) {
    for (const auto& [key, value] : node.items()) {
      parents_[&value] = {&node, key};
      add(value, false);
    }
  } else if (node.is_array()) {
    for (size_t i = 0; i < node.size(); ++i) {
      parents_[&node[i]] = {&node, std::to_string(i)};
      add(node[i], false);
    }
  }
}

std::string References::place(const OrderedJson* node) const {
  std::vector<std::string> keys;
  for (auto at = parents_.find(node); at != parents_.end(); at = parents_.find(at->second.first))
    keys.push_back(at->second.second);
  std::string path;
  for (const std::string& key : keys) path = fmt::format("/{}{}", key, path);
  return on_one_line(fmt::format("#{}", path));
}

const OrderedJson& References::find(const std::string& reference, const std::string& where) const {
  const std::string id = root_.is_object() && root_.contains("$id") && root_.at("$id").is_string()
                             ? root_.at("$id").get<std::string>()
                             : std::string();
  const std::string_view own = std::string_view(id).substr(0, id.find('#'));
  std::string_view pointer = reference;
  if (!own.empty() && pointer.starts_with(own)) pointer.remove_prefix(own.size());
  if (has_inner_ids_) fail(ErrorKind::Unsupported, "{}: $ref is not supported in a schema with a $id within", where);
  if (!pointer.empty() && pointer != "#" && !pointer.starts_with("#/"))
    fail(ErrorKind::Unsupported, "{}: $ref {} is not supported; only places of the same schema are (#/$defs/...)",
         where, in_quotes(reference));
  const OrderedJson* node = &root_;
  if (pointer.size() < 2) return *node;
  for (const std::string& segment : split(percent_decoded(pointer.substr(2)), '/')) {
    node = child(*node, unescaped(segment));
    if (node == nullptr) fail(ErrorKind::InvalidArgument, "{}: $ref {} leads to nothing", where, in_quotes(reference));
  }
  return *node;
}

}  // namespace cleave::grammar
