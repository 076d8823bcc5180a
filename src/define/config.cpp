#include "define/config.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "define/class_defaults.h"
#include "define/completion.h"
#include "define/config_classes.h"
#include "define/derived_defaults.h"
#include "define/rotary_settings.h"

namespace cleave::define {
namespace {

constexpr const char* kTied = "tie_word_embeddings";
constexpr const char* kText = "text_config";

bool present(const Json& config, const char* key) {
  return config.contains(key) && !config[key].is_null();
}

void check_sizes(const Json& config) {
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
                          "intermediate_size", "vocab_size"}) {
    if (!present(config, key)) continue;
    const Json& value = config[key];
    constexpr int64_t kLimit = int64_t{1} << 32;  // no tensor of a model is that long
    if (value.is_array()) continue;               // one per layer
    if (!value.is_number_integer() || value < 0 || value > kLimit)
      fail(ErrorKind::Corrupt, "config: {} is {}, wanted a number from 0 to {}", key, value.dump(), kLimit);
  }
}

void fill_head_sizes(Completion& c) {
  const Json& config = c.config();
  if (!c.has("num_attention_heads") || !config["num_attention_heads"].is_number_integer()) return;
  const int64_t heads = config["num_attention_heads"].get<int64_t>();
  c.fill("num_key_value_heads", heads);
  if (c.has("hidden_size") && heads > 0) c.fill("head_dim", config["hidden_size"].get<int64_t>() / heads);
}

void normalize_window(Json& config) {
  const bool off = config.contains("use_sliding_window") && config["use_sliding_window"] == false;
  if (off || (config.contains("sliding_window") && config["sliding_window"] == 0)) config.erase("sliding_window");
}

// A configuration without parts, read by `of_class`, which may be null.
void complete(Completion& c, const ConfigClass* of_class) {
  const std::string own = c.has("model_type") && c.config()["model_type"].is_string() ? c.config()["model_type"] : "";
  const std::string model_type = of_class != nullptr ? of_class->model_type : own;
  unify_names(of_class, model_type, c);
  read_absent_rope(c, of_class);
  if (of_class != nullptr) fill_class_defaults(*of_class, c);
  unify_names(of_class, model_type, c);
  fill_common_names(c);
  check_sizes(c.config());
  normalize_window(c.config());
  fill_head_sizes(c);
  fill_derived_defaults(model_type, c);
  normalize_rope(c, of_class);
}

// The text part of a multimodal model takes the place of the whole, but what the checkpoint is, the whole says. A whole
// that has layers of its own only lacks some keys, unless a class reads its text part: then nothing else counts.
void take_text_part(Json& config, Json text, bool whole_counts) {
  text.erase("architectures");
  if (whole_counts && present(config, "num_hidden_layers")) std::swap(config, text);
  config.update(text);
}

// What the head is where neither configuration nor checkpoint tells.
void fill_tied(const ConfigClass* of_class, Completion& c) {
  const Json* tied = of_class != nullptr ? of_class->default_of(kTied) : nullptr;
  if (!c.has(kTied) && tied != nullptr) c.fill(kTiedByDefault, *tied);
}

// Which of whole and part says whether the head is the embedding has changed with versions of Transformers: where they
// disagree, the checkpoint shall tell.
void decide_tied(const Json& whole, const Json& text, const ConfigClass* of_whole, Completion& c) {
  const bool of_parts = of_whole != nullptr && !of_whole->text.empty();  // some name a whole as they do its text part
  const Json* by_class = of_parts ? of_whole->default_of(kTied) : nullptr;
  const Json of_model = present(whole, kTied) ? whole[kTied] : by_class != nullptr ? *by_class : Json();
  if (present(text, kTied) && !of_model.is_null() && of_model != text[kTied]) {
    c.config().erase(kTied);
    c.force(kTiedByDefault, of_model);
  }
  fill_tied(of_whole, c);
}

std::vector<std::string> complete_multimodal(Json& config, const ConfigClass* of_whole) {
  const Json whole = std::exchange(config, Json());
  Json text = whole[kText];
  const ConfigClass* of_text = class_of(text);
  if (of_text == nullptr && of_whole != nullptr && !of_whole->text.empty()) of_text = class_named(of_whole->text);
  std::vector<std::string> filled;
  if (of_text != nullptr) {
    Completion part(text);
    complete(part, of_text);
    filled = part.filled();
  }
  config = whole;
  config.erase(kText);
  take_text_part(config, std::move(text), of_text == nullptr);
  Completion c(config);
  if (of_text == nullptr) complete(c, nullptr);
  decide_tied(whole, whole[kText], of_whole != nullptr ? of_whole : of_text, c);
  filled.insert(filled.end(), c.filled().begin(), c.filled().end());
  return filled;
}

std::vector<std::string> complete_plain(Json& config, const ConfigClass* of_class) {
  const bool flat = of_class != nullptr && !of_class->text.empty();
  Completion c(config);
  complete(c, flat ? class_named(of_class->text) : of_class);
  fill_tied(of_class, c);
  return c.filled();
}

}  // namespace

Json normalize_config(const Json& original, std::vector<std::string>* filled) {
  if (!original.is_object()) fail(ErrorKind::Corrupt, "config is no JSON object");
  Json config = original;
  const ConfigClass* of_whole = class_of(config);
  const bool multimodal = present(config, kText) && config[kText].is_object();
  std::vector<std::string> lines =
      multimodal ? complete_multimodal(config, of_whole) : complete_plain(config, of_whole);
  if (filled != nullptr) *filled = std::move(lines);
  return config;
}

}  // namespace cleave::define
