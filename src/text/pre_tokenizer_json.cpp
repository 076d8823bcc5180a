#include <array>
#include <utility>

#include "base/error.h"
#include "text/pre_tokenizer.h"
#include "text/shown_text.h"
#include "text/unicode.h"

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

Pattern read_pattern(const JsonField& field) {
  if (const auto text = field.find("String")) return Pattern::literal(text->string(), text->path());
  const auto expression = field.find("Regex");
  if (!expression) field.wrong("an object with \"String\" or \"Regex\"");
  return Pattern::regex(expression->string(), expression->path());
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
  return make_split(is_numeric, individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous);
}

std::unique_ptr<PreTokenizer> read_punctuation(const JsonField& field) {
  const auto behavior = field.find("behavior");
  return make_split(is_punctuation, behavior ? read_behavior(*behavior) : SplitBehavior::Isolated);
}

std::unique_ptr<PreTokenizer> read_whitespace(const JsonField& field) {
  // `\w+|[^\w\s]+` of the Rust regex crate, whose \w has the joiners too.
  constexpr const char* kWords = R"([\w\x{200c}\x{200d}]+|[^\w\x{200c}\x{200d}\s]+)";
  return make_split(Pattern::regex(kWords, field.path()), SplitBehavior::Removed, true);
}

std::unique_ptr<PreTokenizer> read_whitespace_split(const JsonField&) {
  return make_split(is_whitespace, SplitBehavior::Removed);
}

std::unique_ptr<PreTokenizer> read_sequence(const JsonField& field) {
  const JsonField list = field.at("pretokenizers");
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (size_t i = 0; i < list.array().size(); ++i) steps.push_back(read_pre_tokenizer(list.at(i)));
  return make_sequence(std::move(steps));
}

struct Reader {
  const char* type;
  std::unique_ptr<PreTokenizer> (*read)(const JsonField&);
};
constexpr std::array<Reader, 7> kReaders = {{
    {"ByteLevel", read_byte_level},
    {"Split", read_split},
    {"Digits", read_digits},
    {"Punctuation", read_punctuation},
    {"Whitespace", read_whitespace},
    {"WhitespaceSplit", read_whitespace_split},
    {"Sequence", read_sequence},
}};

}  // namespace

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonField& field) {
  const std::string& type = field.at("type").string();
  for (const Reader& reader : kReaders)
    if (type == reader.type) return reader.read(field);
  fail(ErrorKind::Unsupported,
       "{}: a pre-tokenizer of type {} is not read; ByteLevel, Split, Digits, Punctuation, Whitespace, "
       "WhitespaceSplit and "
       "Sequence are",
       field.path(), shown_text(type));
}

}  // namespace cleave::text
