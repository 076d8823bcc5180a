#include "text/files/special_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/mapped_file.h"

namespace cleave::text {
namespace {

namespace fs = std::filesystem;

// The names that every tokenizer has, in the order in which their tokens are added.
constexpr std::array<const char*, 7> kNames = {"bos_token", "eos_token", "unk_token", "sep_token",
                                               "pad_token", "cls_token", "mask_token"};

OrderedJson read_object(const fs::path& path) {
  if (!is_there(path)) return OrderedJson::object();
  const MappedFile file(path);
  OrderedJson json = parse_ordered_json(file.text(), path.string());
  if (!json.is_object()) fail(ErrorKind::Corrupt, "{}: wanted a JSON object, saw {}", path.string(), json.type_name());
  return json;
}

// A token that is written as a text or as an object; nothing for anything else.
template <class AnyJson>
std::optional<AddedToken> token_in(const AnyJson& json, bool special) {
  if (json.is_string())
    return AddedToken{.content = json.template get<std::string>(), .normalized = false, .special = special};
  if (!json.is_object()) return std::nullopt;
  const auto content = json.find("content");
  if (content == json.end() || !content->is_string()) return std::nullopt;
  const auto flag = [&](const char* key, bool otherwise) {
    const auto found = json.find(key);
    return found != json.end() && found->is_boolean() ? found->template get<bool>() : otherwise;
  };
  AddedToken token;
  token.content = content->template get<std::string>();
  token.special = special || flag("special", false);
  token.single_word = flag("single_word", false);
  token.lstrip = flag("lstrip", false);
  token.rstrip = flag("rstrip", false);
  token.normalized = flag("normalized", !token.special);
  return token;
}

bool is_standard(const std::string& key) {
  return std::ranges::find(kNames, key) != kNames.end();
}

// The settings of tokenizer_config.json after those of special_tokens_map.json have replaced them.
void merge_map(OrderedJson& settings, const OrderedJson& map) {
  for (const auto& [key, value] : map.items()) {
    if (key == "additional_special_tokens" && settings.contains("extra_special_tokens")) continue;
    const bool is_list = key == "extra_special_tokens" && value.is_array();
    if (is_list && settings.contains(key) && settings[key].is_array()) {
      for (const OrderedJson& token : value) settings[key].push_back(token);
    } else {
      settings[key] = value;
    }
  }
}

}  // namespace

SpecialTokens SpecialTokens::read(const fs::path& directory) {
  const fs::path config = directory / "tokenizer_config.json";
  OrderedJson settings = read_object(config);
  const bool names_extra = settings.contains("extra_special_tokens") && !settings["extra_special_tokens"].empty();
  if (settings.contains("additional_special_tokens") && !names_extra)
    settings["extra_special_tokens"] = settings["additional_special_tokens"];
  SpecialTokens tokens;
  tokens.has_decoder_ = settings.contains("added_tokens_decoder");
  if (!tokens.has_decoder_) merge_map(settings, read_object(directory / "special_tokens_map.json"));
  tokens.read_named(settings);
  tokens.read_extra(settings);
  if (tokens.has_decoder_)
    tokens.read_decoder(settings["added_tokens_decoder"], config.string());
  else
    tokens.read_added(read_object(directory / "added_tokens.json"));
  return tokens;
}

void SpecialTokens::read_named(const OrderedJson& settings) {
  const auto add = [&](const std::string& name, const OrderedJson& value) {
    if (auto token = token_in(value, true)) named_.emplace_back(name, *std::move(token));
  };
  for (const char* name : kNames)
    if (const auto found = settings.find(name); found != settings.end()) add(name, *found);
  for (const auto& [key, value] : settings.items())
    if (key.ends_with("_token") && !is_standard(key)) add(key, value);
  const auto extra = settings.find("extra_special_tokens");
  if (extra == settings.end() || !extra->is_object()) return;
  for (const auto& [key, value] : extra->items()) add(key, value);
}

void SpecialTokens::read_extra(const OrderedJson& settings) {
  auto list = settings.find("extra_special_tokens");
  if (list == settings.end()) list = settings.find("additional_special_tokens");
  if (list == settings.end() || !list->is_array()) return;
  for (const OrderedJson& value : *list)
    if (auto token = token_in(value, value.is_string())) extra_.push_back(*std::move(token));
}

void SpecialTokens::read_decoder(const OrderedJson& decoder, const std::string& what) {
  if (!decoder.is_object())
    fail(ErrorKind::Corrupt, "{}: added_tokens_decoder is {}, wanted an object", what, decoder.type_name());
  for (const auto& [key, value] : decoder.items()) {
    int64_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0)
      fail(ErrorKind::Corrupt, "{}: added_tokens_decoder: \"{}\" is no id", what, key);
    auto token = token_in(value, false);
    if (!token) fail(ErrorKind::Corrupt, "{}: added_tokens_decoder: token {} has no content", what, key);
    by_id_.insert_or_assign(id, *std::move(token));
  }
}

void SpecialTokens::read_added(const OrderedJson& added) {
  for (const auto& [content, id] : added.items()) {
    if (!id.is_number_integer()) continue;
    const bool special = is_special(content);
    by_id_.insert_or_assign(id.get<int64_t>(),
                            AddedToken{.content = content, .normalized = !special, .special = special});
  }
}

// Whether a token has one of the standard names, or is in the list of further ones.
bool SpecialTokens::is_special(const std::string& content) const {
  const auto has_content = [&](const AddedToken& token) { return token.content == content; };
  return std::ranges::any_of(extra_, has_content) || std::ranges::any_of(named_, [&](const auto& entry) {
           return is_standard(entry.first) && has_content(entry.second);
         });
}

Json SpecialTokens::variables() const {
  Json variables = Json::object();
  for (const auto& [name, token] : named_) variables[name] = token.content;
  return variables;
}

std::vector<AddedToken> SpecialTokens::tokens_beside(const Json& tokenizer_json) const {
  std::set<std::string> known;
  std::map<int64_t, AddedToken> by_id = by_id_;
  if (const auto own = tokenizer_json.find("added_tokens"); own != tokenizer_json.end() && own->is_array())
    for (const Json& token : *own) {
      if (!token.is_object()) continue;
      const auto read = token_in(token, false);
      const Json id = token.value("id", Json());
      if (read) known.insert(read->content);
      // Without a decoder its own token counts, which a name makes special.
      if (!has_decoder_ && read && id.is_number_integer()) by_id.insert_or_assign(id.get<int64_t>(), *read);
    }
  std::vector<AddedToken> tokens;
  for (auto& [id, token] : by_id) {
    const std::string& content = token.content;
    const auto is_named = [&](const auto& entry) { return entry.second.content == content; };
    token.special = token.special || std::ranges::any_of(named_, is_named);
    known.insert(token.content);
    tokens.push_back(std::move(token));
  }
  const auto add_new = [&](const AddedToken& token) {
    if (known.insert(token.content).second) tokens.push_back(token);
  };
  for (const auto& [name, token] : named_) add_new(token);
  for (const AddedToken& token : extra_) add_new(token);
  return tokens;
}

}  // namespace cleave::text
