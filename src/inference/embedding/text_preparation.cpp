#include "inference/embedding/text_preparation.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/untrusted_text.h"
#include "jinja/characters.h"
#include "unicode/normal_form.h"

namespace cleave::inference {
namespace {

// tokenizer_config.json; an empty object where there is none.
Json tokenizer_config(const OpenedModel& opened) {
  const std::filesystem::path path = opened.checkpoint.directory() / "tokenizer_config.json";
  if (opened.checkpoint.directory().empty() || !is_file(path)) return Json::object();
  Json config = parse_json(read_file(path), path.string());
  return config.is_object() ? config : Json::object();
}

// Whether a template of special tokens gives some of a single text's tokens another type than 0, as XLNet's does.
bool gives_types(const Json& processor) {
  if (!processor.is_object()) return false;
  if (const Json all = processor.value("processors", Json()); all.is_array())
    return std::ranges::any_of(all, gives_types);
  const auto has_type = [](const Json& part) { return part.is_object() && part.value("type_id", Json(0)) != 0; };
  return std::ranges::any_of(processor.value("single", Json::array()), [&](const Json& piece) {
    return piece.is_object() && std::ranges::any_of(piece, has_type);
  });
}

void refuse_types(const OpenedModel& opened) {
  const auto reads_types = [](const graph::Node& node) {
    return node.op == graph::Op::Input && node.as<graph::InputAttributes>().kind == graph::InputKind::TokenTypes;
  };
  const std::filesystem::path path = opened.checkpoint.directory() / "tokenizer.json";
  if (std::ranges::none_of(opened.graph.nodes(), reads_types) || opened.checkpoint.directory().empty() ||
      !is_file(path))
    return;
  const Json tokenizer = parse_json(read_file(path), path.string());
  if (tokenizer.is_object() && gives_types(tokenizer.value("post_processor", Json())))
    fail(
        ErrorKind::Unsupported,
        "tokenizer.json gives some tokens of a text another type than 0, on which vectors of {} depend; only type 0 is "
        "computed",
        opened.traced.architecture);
}

// Tokenizers that have no limit say so by a number like 1e30.
std::optional<int64_t> tokenizer_limit(const OpenedModel& opened) {
  constexpr double kNone = 1e9;
  const Json config = tokenizer_config(opened);
  const auto found = config.find("model_max_length");
  if (found == config.end() || !found->is_number() || found->get<double>() >= kNone || found->get<double>() < 1)
    return std::nullopt;
  return static_cast<int64_t>(found->get<double>());
}

// What the modules say, or else tokenizer and configuration; never more than there are positions.
std::optional<int64_t> length_limit(const OpenedModel& opened, const SentenceModules& modules) {
  std::optional<int64_t> limit = modules.max_length;
  const auto restrict_to = [&](std::optional<int64_t> other) {
    if (other) limit = std::min(limit.value_or(*other), *other);
  };
  restrict_to(opened.position_limit());
  if (modules.max_length) return limit;
  restrict_to(tokenizer_limit(opened));
  restrict_to(opened.max_positions());
  return limit;
}

// How many of the special tokens stand before the text's own.
size_t tokens_before(const std::vector<int32_t>& all, const std::vector<int32_t>& own,
                     const std::vector<int32_t>& special) {
  const bool plain = own.size() + special.size() == all.size();
  for (size_t before = 0; plain && before <= special.size(); ++before) {
    const auto at = all.begin() + static_cast<long>(before);
    if (std::equal(all.begin(), at, special.begin()) && std::equal(own.begin(), own.end(), at) &&
        std::equal(at + static_cast<long>(own.size()), all.end(), special.begin() + static_cast<long>(before)))
      return before;
  }
  fail(
      ErrorKind::Unsupported,
      "a text is too long, and the tokenizer does more than to put special tokens around it, so that it cannot be cut");
}

}  // namespace

TextPreparation::TextPreparation(const OpenedModel& opened, const SentenceModules& modules,
                                 const text::Tokenizer& tokenizer, std::optional<int64_t> max_length)
    : modules_(modules),
      tokenizer_(tokenizer),
      max_length_(max_length ? max_length : length_limit(opened, modules)),
      keeps_end_(tokenizer_config(opened).value("truncation_side", Json()) == "left"),
      special_(tokenizer.encode("", true)) {
  refuse_types(opened);
  const std::optional<int64_t> positions = opened.position_limit();
  if (max_length && positions && *max_length > *positions)
    fail(ErrorKind::InvalidArgument, "texts of up to {} tokens, where the model has learned {} positions", *max_length,
         *positions);
  if (max_length_ && *max_length_ <= static_cast<int64_t>(special_.size()))
    fail(ErrorKind::InvalidArgument, "texts of up to {} tokens, of which {} are special; allow more", *max_length_,
         special_.size());
}

std::string TextPreparation::prompt(const std::optional<std::string>& name) const {
  const std::string& wanted = name ? *name : modules_.default_prompt;
  if (wanted.empty()) return "";
  if (const auto found = modules_.prompts.find(wanted); found != modules_.prompts.end()) return found->second;
  std::string known;
  for (const auto& [key, text] : modules_.prompts) known += (known.empty() ? "" : ", ") + in_quotes(key);
  fail(ErrorKind::InvalidArgument, "the model has no prompt {}, but {}", in_quotes(wanted),
       known.empty() ? "none at all" : known);
}

// As sentence-transformers gives texts to the tokenizer.
std::string TextPreparation::spelled(std::string_view text) const {
  const std::string_view inner = jinja::stripped(text, nullptr, jinja::Sides::Both);
  return modules_.lower_case ? unicode::lower_case(inner) : std::string(inner);
}

PreparedText TextPreparation::prepare(std::string_view prompt, std::string_view text) const {
  const std::string whole = spelled(std::string(prompt).append(text));
  PreparedText prepared{tokenizer_.encode(whole, true)};
  prepared.is_cut = max_length_ && static_cast<int64_t>(prepared.ids.size()) > *max_length_;
  if (prepared.is_cut) prepared.ids = cut(whole, prepared.ids);
  if (!modules_.pools_prompt && !prompt.empty()) {
    const auto last = static_cast<int64_t>(prepared.ids.size()) - 1;  // something counts in any case
    prepared.left_out = std::clamp<int64_t>(prompt_tokens(prompt), 0, std::max<int64_t>(last, 0));
  }
  return prepared;
}

std::vector<int32_t> TextPreparation::cut(std::string_view text, const std::vector<int32_t>& all) const {
  const std::vector<int32_t> own = tokenizer_.encode(text, false);
  const auto before = static_cast<long>(tokens_before(all, own, special_));
  const auto kept = static_cast<long>(*max_length_) - static_cast<long>(special_.size());
  std::vector<int32_t> ids(special_.begin(), special_.begin() + before);
  const auto first = keeps_end_ ? own.end() - kept : own.begin();
  ids.insert(ids.end(), first, first + kept);
  ids.insert(ids.end(), special_.begin() + before, special_.end());
  return ids;
}

// Those of the prompt alone, but for a special one behind it.
int64_t TextPreparation::prompt_tokens(std::string_view prompt) const {
  const std::vector<int32_t> ids = tokenizer_.encode(spelled(prompt), true);
  const bool ended = !ids.empty() && tokenizer_.is_special(ids.back());
  return static_cast<int64_t>(ids.size()) - (ended ? 1 : 0);
}

}  // namespace cleave::inference
