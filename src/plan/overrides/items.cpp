#include "plan/overrides/items.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "plan/overrides/literal.h"

namespace cleave::plan {
namespace {

constexpr size_t kMaxTextBytes = 1 << 16;  // of a variable or flag; a line of a shell holds less
constexpr size_t kMaxPatternBytes = 1024;
constexpr size_t kMaxModels = 64;  // of one item; every override holds a copy
constexpr size_t kMaxModelBytes = 128;
constexpr std::string_view kRegex = "re:";
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_blank_or_control(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
}

// Appends the items of a value to `items`.
class ItemReader {
 public:
  ItemReader(Treatment treatment, const Origin& origin, std::vector<Override>& items)
      : treatment_(treatment), origin_(origin), items_(items) {}

  void read(const Json& json) {
    if (json.is_string())
      add(json.get_ref<const std::string&>(), {});
    else if (json.is_array())
      for (const Json& element : json) read(element);
    else if (json.is_object())
      for (const auto& [name, models] : json.items()) add(name, models_from_json(models, origin_.where));
    else
      fail(ErrorKind::InvalidArgument, "{}: wanted names of modules, saw {}", origin_.where, json.type_name());
  }

  void add(std::string_view name, std::vector<std::string> models) {
    if (items_.size() >= kMaxOverrides)
      fail(ErrorKind::InvalidArgument, "{}: more than {} names", origin_.where, kMaxOverrides);
    items_.push_back({.pattern = checked_name(name, origin_.where),
                      .treatment = treatment_,
                      .models = std::move(models),
                      .origin = origin_,
                      .spellings = {}});
  }

  // "gate, lm_head"; a comma behind the last name is allowed.
  void read_list(std::string_view text) {
    size_t begin = 0;
    while (begin < text.size()) {
      const size_t end = std::min(text.find(',', begin), text.size());
      const std::string_view name = trimmed(text.substr(begin, end - begin));
      if (name.empty()) fail_at(text, end, "a name", origin_.where);
      const size_t odd = static_cast<size_t>(
          std::find_if(name.begin(), name.end(), [](char c) { return is_blank_or_control(c) || is_of_literals(c); }) -
          name.begin());
      if (odd < name.size()) fail_at(text, text.find(name, begin) + odd, "a name, or ',' between two", origin_.where);
      add(name, {});
      begin = end + 1;
    }
  }

 private:
  static bool is_of_literals(char c) { return std::string_view("'\"{}()").find(c) != std::string_view::npos; }

  Treatment treatment_;
  const Origin& origin_;
  std::vector<Override>& items_;
};

// What begins a literal rather than a bare list of names.
bool begins_literal(std::string_view text) {
  if (text.empty()) return false;
  if (std::string_view("{[('\"").find(text[0]) != std::string_view::npos) return true;
  return text.size() > 1 && std::string_view("rRuU").find(text[0]) != std::string_view::npos &&
         (text[1] == '\'' || text[1] == '"');
}

}  // namespace

std::string checked_name(std::string_view name, const std::string& where) {
  const auto refuse = [&](std::string_view why) {
    fail(ErrorKind::InvalidArgument, "{}: {} is no name of modules: {}", where, in_quotes(name, '\''), why);
  };
  if (name.size() > kMaxPatternBytes) refuse("longer than 1024 bytes");
  if (name.starts_with(kRegex)) {
    if (name.size() == kRegex.size()) refuse("nothing follows re:");
    return std::string(name);
  }
  if (name.starts_with('.')) name.remove_prefix(1);  // DeepSpeed's own lists name children as ".o_proj"
  for (const std::string_view suffix : {".weight", ".bias"})
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  if (name.empty()) refuse("it is empty");
  if (std::any_of(name.begin(), name.end(), is_blank_or_control)) refuse("it has a blank");
  if (name.find(',') != std::string_view::npos) refuse("it has a comma; put every name in quotes of its own");
  if (name.starts_with('.') || name.ends_with('.') || name.find("..") != std::string_view::npos)
    refuse("a segment between dots is empty");
  return std::string(name);
}

std::vector<std::string> models_from_json(const Json& json, const std::string& where) {
  std::vector<std::string> models;
  const auto add = [&](const Json& list) {
    if (!list.is_string())
      fail(ErrorKind::InvalidArgument, "{}: wanted names of models such as \"mixtral,qwen2_moe\", saw {}", where,
           list.type_name());
    for (const std::string& piece : split(list.get_ref<const std::string&>(), ',')) {
      const std::string_view model = trimmed(piece);
      if (model.empty()) continue;
      if (model.size() > kMaxModelBytes)
        fail(ErrorKind::InvalidArgument, "{}: {} is no name of a model: longer than {} bytes", where,
             in_quotes(model, '\''), kMaxModelBytes);
      if (models.size() == kMaxModels) fail(ErrorKind::InvalidArgument, "{}: more than {} models", where, kMaxModels);
      models.emplace_back(model);
    }
  };
  if (json.is_null() || json == true) return models;
  if (json.is_array())
    for (const Json& element : json) add(element);
  else
    add(json);
  return models;
}

std::vector<Override> items_from_json(const Json& json, Treatment treatment, const Origin& origin) {
  if (json.is_string()) return parse_items(json.get_ref<const std::string&>(), treatment, origin);
  std::vector<Override> items;
  ItemReader(treatment, origin, items).read(json);
  return items;
}

std::vector<Override> parse_items(std::string_view text, Treatment treatment, const Origin& origin) {
  if (text.size() > kMaxTextBytes)
    fail(ErrorKind::InvalidArgument, "{}: a text of {} bytes is longer than {}", origin.where, text.size(),
         kMaxTextBytes);
  std::vector<Override> items;
  ItemReader reader(treatment, origin, items);
  const std::string_view content = trimmed(text);
  if (content.starts_with(kRegex)) {
    reader.add(content, {});  // commas and all
  } else if (begins_literal(content)) {
    Json value = parse_literal(content, origin.where);
    // A file of variables keeps the quotes that a shell takes away.
    if (value.is_string() && begins_literal(value.get_ref<const std::string&>()))
      value = parse_literal(value.get<std::string>(), origin.where);
    reader.read(value);
  } else {
    reader.read_list(content);
  }
  return items;
}

}  // namespace cleave::plan
