#include <array>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/pattern/pattern_json.h"
#include "text/stages/pre_tokenizer.h"
#include "text/stages/stage_reader.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

SplitBehavior read_behavior(const JsonField& field) {
  static constexpr std::array<std::pair<const char*, SplitBehavior>, 5> kNames = {{
      {"Removed", SplitBehavior::Removed},
      {"Isolated", SplitBehavior::Isolated},
      {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
      {"MergedWithNext", SplitBehavior::MergedWithNext},
      {"Contiguous", SplitBehavior::Contiguous},
  }};
  const std::string& name = field.string();
  for (const auto& [known, behavior] : kNames)
    if (name == known) return behavior;
  field.wrong("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

std::unique_ptr<PreTokenizer> read_split(const JsonField& field) {
  return make_split(read_pattern(field.at("pattern")), read_behavior(field.at("behavior")),
                    field.boolean_or("invert", false));
}

std::unique_ptr<PreTokenizer> read_byte_level(const JsonField& field) {
  return make_byte_level(field.boolean_or("add_prefix_space", true), field.boolean_or("use_regex", true));
}

std::unique_ptr<PreTokenizer> read_digits(const JsonField& field) {
  const bool individual = field.boolean_or("individual_digits", false);
  return make_split(unicode::is_numeric, individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous);
}

std::unique_ptr<PreTokenizer> read_punctuation(const JsonField& field) {
  const auto behavior = field.find("behavior");
  return make_split(unicode::is_punctuation, behavior ? read_behavior(*behavior) : SplitBehavior::Isolated);
}

std::unique_ptr<PreTokenizer> read_whitespace(const JsonField& field) {
  // `\w+|[^\w\s]+` of the Rust regex crate, whose \w includes the joiners.
  constexpr const char* kWords = R"([\w\x{200c}\x{200d}]+|[^\w\x{200c}\x{200d}\s]+)";
  return make_split(Pattern::regex(kWords, field.path()), SplitBehavior::Removed, true);
}

std::unique_ptr<PreTokenizer> read_whitespace_split(const JsonField&) {
  return make_split(unicode::is_whitespace, SplitBehavior::Removed);
}

std::unique_ptr<PreTokenizer> read_bert(const JsonField&) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  steps.push_back(make_split(unicode::is_whitespace, SplitBehavior::Removed));
  steps.push_back(make_split(unicode::is_punctuation, SplitBehavior::Isolated));
  return make_sequence(std::move(steps));
}

// Reads a text of one character.
std::string read_character(const JsonField& field) {
  const std::string& text = field.string();
  if (text.empty() || unicode::utf8_at(text, 0).size != text.size()) field.wrong("one character");
  return text;
}

std::unique_ptr<PreTokenizer> read_delimiter(const JsonField& field) {
  const char32_t delimiter = unicode::utf8_at(read_character(field.at("delimiter")), 0).code;
  return make_split([delimiter](char32_t code) { return code == delimiter; }, SplitBehavior::Removed);
}

std::unique_ptr<PreTokenizer> read_fixed_length(const JsonField& field) {
  const auto length = field.find("length");
  if (length && length->count() == 0) length->wrong("a length of at least 1");
  return make_fixed_length(length ? length->count() : 5);
}

std::unique_ptr<PreTokenizer> read_unicode_scripts(const JsonField&) {
  return make_unicode_scripts();
}

std::unique_ptr<PreTokenizer> read_metaspace(const JsonField& field) {
  return make_metaspace(read_character(field.at("replacement")), read_prepend_scheme(field),
                        field.boolean_or("split", true));
}

std::unique_ptr<PreTokenizer> read_sequence(const JsonField& field) {
  const JsonField list = field.at("pretokenizers");
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (size_t i = 0; i < list.array().size(); ++i) steps.push_back(read_pre_tokenizer(list.at(i)));
  return make_sequence(std::move(steps));
}

constexpr StageReader<PreTokenizer> kReaders[] = {
    {"ByteLevel", read_byte_level},
    {"Split", read_split},
    {"Digits", read_digits},
    {"Punctuation", read_punctuation},
    {"Whitespace", read_whitespace},
    {"WhitespaceSplit", read_whitespace_split},
    {"BertPreTokenizer", read_bert},
    {"CharDelimiterSplit", read_delimiter},
    {"FixedLength", read_fixed_length},
    {"UnicodeScripts", read_unicode_scripts},
    {"Metaspace", read_metaspace},
    {"Sequence", read_sequence},
};

}  // namespace

PrependScheme read_prepend_scheme(const JsonField& field) {
  const std::string scheme = field.string_or("prepend_scheme", "always");
  if (!field.boolean_or("add_prefix_space", true)) return PrependScheme::Never;  // of files before version 0.15
  if (scheme == "always") return PrependScheme::Always;
  if (scheme == "first") return PrependScheme::First;
  if (scheme == "never") return PrependScheme::Never;
  field.at("prepend_scheme").wrong("always, first or never");
}

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonField& field) {
  return read_stage(kReaders, field, "pre-tokenizer");
}

}  // namespace cleave::text
