#include "text/files/directory_settings.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/files.h"
#include "base/mapped_file.h"
#include "text/files/gguf_pre.h"
#include "text/models/token_id.h"
#include "text/stages/pre_tokenizer.h"
#include "unicode/normal_form.h"

namespace cleave::text {
namespace {

namespace fs = std::filesystem;

Json read_object(const fs::path& path) {
  if (!is_there(path)) return Json::object();
  const MappedFile file(path);
  Json json = parse_json(file.text(), path.string());
  JsonField(json, path.string() + ":").object();
  return json;
}

// The content of a token, which is written as a text or as an object.
std::optional<std::string> content(const Json& token) {
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string())
    return token["content"].get<std::string>();
  return std::nullopt;
}

AddedToken read_added(const Json& json) {
  const auto flag = [&](const char* key) {
    return json.is_object() && json.contains(key) && json[key].is_boolean() && json[key].get<bool>();
  };
  AddedToken token;
  token.content = content(json).value_or("");
  token.lstrip = flag("lstrip");
  token.rstrip = flag("rstrip");
  token.single_word = flag("single_word");
  token.special = flag("special");
  token.normalized = false;  // these tokenizers look for added tokens in the text as it stands
  return token;
}

// Tokens that Qwen-1's class adds behind its vocabulary (Qwen/Qwen-7B, tokenization_qwen.py).
std::vector<std::string> qwen_tokens() {
  std::vector<std::string> tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  for (int i = 0; i < 205; ++i) tokens.push_back(fmt::format("<|extra_{}|>", i));
  return tokens;
}

// Tokens that Llama 3's class adds behind its vocabulary (meta-llama/llama3, llama/tokenizer.py).
std::vector<std::string> llama3_tokens() {
  std::vector<std::string> tokens = {"<|begin_of_text|>",
                                     "<|end_of_text|>",
                                     "<|reserved_special_token_0|>",
                                     "<|reserved_special_token_1|>",
                                     "<|reserved_special_token_2|>",
                                     "<|reserved_special_token_3|>",
                                     "<|start_header_id|>",
                                     "<|end_header_id|>",
                                     "<|reserved_special_token_4|>",
                                     "<|eot_id|>"};
  for (int i = 5; i < 251; ++i) tokens.push_back(fmt::format("<|reserved_special_token_{}|>", i));
  return tokens;
}

}  // namespace

DirectorySettings DirectorySettings::read(const fs::path& directory) {
  DirectorySettings settings;
  settings.what_ = directory.string();
  settings.config_ = read_object(directory / "tokenizer_config.json");
  const Json map = read_object(directory / "special_tokens_map.json");
  for (const auto& [key, value] : map.items())
    if (!settings.config_.contains(key)) settings.config_[key] = value;
  settings.added_ = read_object(directory / "added_tokens.json");
  std::error_code ignored;
  for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"})
    settings.is_sentencepiece_ = settings.is_sentencepiece_ || fs::exists(directory / name, ignored);
  return settings;
}

bool DirectorySettings::flag(const char* key, bool otherwise) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

std::string DirectorySettings::class_name() const {
  const auto found = config_.find("tokenizer_class");
  std::string name = found != config_.end() && found->is_string() ? found->get<std::string>() : "";
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

std::optional<std::string> DirectorySettings::special_token(const char* key) const {
  const auto found = config_.find(key);
  return found == config_.end() ? std::nullopt : content(*found);
}

std::vector<std::string> DirectorySettings::tiktoken_patterns() const {
  const std::string name = class_name();
  const char* pre = name == "QWenTokenizer" ? "qwen2" : name == "TikTokenTokenizer" ? "kimi-k2" : "llama-bpe";
  return gguf_pre(pre, what_).patterns;
}

std::optional<std::string> DirectorySettings::byte_level_pattern() const {
  if (class_name() == "Qwen2Tokenizer") return gguf_pre("qwen2", what_).patterns.front();
  return std::nullopt;
}

std::unique_ptr<Normalizer> DirectorySettings::normalizer() const {
  return class_name() == "Qwen2Tokenizer" ? make_unicode_normalizer(unicode::NormalForm::Nfc) : nullptr;
}

bool DirectorySettings::add_prefix_space() const {
  return flag("add_prefix_space", false);
}

std::string DirectorySettings::unknown_token(const std::string& otherwise) const {
  return special_token("unk_token").value_or(otherwise);
}

BertNormalizing DirectorySettings::bert_normalizing() const {
  BertNormalizing options;
  options.lower_case = flag("do_lower_case", true);
  options.handle_chinese_chars = flag("tokenize_chinese_chars", true);
  options.strip_accents = flag("strip_accents", options.lower_case);
  return options;
}

std::vector<std::pair<int32_t, AddedToken>> DirectorySettings::added_tokens(const TokenModel& model) const {
  std::vector<std::pair<int32_t, AddedToken>> tokens;
  if (const auto list = config_.find("added_tokens_decoder"); list != config_.end() && list->is_object()) {
    for (const auto& [key, value] : list->items()) {
      int32_t id = -1;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
      if (error != std::errc() || end != key.data() + key.size() || id < 0 || id == INT32_MAX)
        fail(ErrorKind::Corrupt, "{}/tokenizer_config.json: added_tokens_decoder: \"{}\" is no id", what_, key);
      tokens.emplace_back(id, read_added(value));
    }
    return tokens;
  }
  for (const auto& [content, id] : added_.items())
    if (const auto number = token_id_in(id))
      tokens.emplace_back(*number, AddedToken{.content = content, .normalized = false});
  // The added tokens of older classes are built into the class.
  const std::string name = class_name();
  std::vector<std::string> known;
  if (name == "QWenTokenizer") known = qwen_tokens();
  if (tokens.empty() && model.id_end() == 128000) known = llama3_tokens();
  for (size_t i = 0; i < known.size(); ++i)
    tokens.emplace_back(model.id_end() + static_cast<int32_t>(i),
                        AddedToken{.content = known[i], .normalized = false, .special = true});
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    const auto token = special_token(key);
    const auto id = token ? model.id(*token) : std::nullopt;
    if (id) tokens.emplace_back(*id, AddedToken{.content = *token, .normalized = false, .special = true});
  }
  return tokens;
}

void DirectorySettings::add_tokens(Pipeline& stages) const {
  for (auto& [id, token] : added_tokens(*stages.model))
    if (!token.content.empty()) stages.added.add(std::move(token), id, nullptr);
  const auto id_of = [&](const char* key, const char* habit) -> std::vector<int32_t> {
    const std::string token = special_token(key).value_or(habit);
    const auto added = stages.added.id(token);
    const auto id = added ? added : stages.model->id(token);
    return id ? std::vector<int32_t>{*id} : std::vector<int32_t>{};
  };
  const std::string name = class_name();
  std::vector<int32_t> before;
  std::vector<int32_t> behind;
  const bool is_bert = name == "BertTokenizer" || name == "DistilBertTokenizer" || name == "ElectraTokenizer";
  const bool is_llama = is_sentencepiece_ && (name == "LlamaTokenizer" || name == "GemmaTokenizer" || name.empty());
  if (is_bert) {
    before = id_of("cls_token", "[CLS]");
    behind = id_of("sep_token", "[SEP]");
  } else if (name == "RobertaTokenizer" || name == "XLMRobertaTokenizer" || name == "BartTokenizer") {
    before = id_of("cls_token", "<s>");
    behind = id_of("sep_token", "</s>");
  } else {
    if (flag("add_bos_token", is_llama || name == "OPTTokenizer")) before = id_of("bos_token", "<s>");
    if (flag("add_eos_token", name == "T5Tokenizer")) behind = id_of("eos_token", "</s>");
  }
  stages.post_processor = make_template(before, behind);
}

}  // namespace cleave::text
