#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/terminal/jsonl.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "base/strings.h"
#include "inference/tokenizer.h"

namespace cleave::app {
namespace {

struct TokenizeFlags {
  std::filesystem::path path;
  std::optional<std::string> text;
  bool decode = false;
  bool no_special = false;
  bool jsonl = false;
};

std::vector<int32_t> read_ids(const Json& list) {
  std::vector<int32_t> ids;
  if (!list.is_array()) fail(ErrorKind::InvalidArgument, "wanted a list of ids, saw {}", list.dump().substr(0, 60));
  for (const Json& id : list) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
      fail(ErrorKind::InvalidArgument, "wanted an id from 0 to 2147483647, saw {}", id.dump().substr(0, 60));
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

// Ids as people type them: "[1, 2]", "1 2" or "1,2".
std::vector<int32_t> parse_ids(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return std::isspace(static_cast<unsigned char>(c)); }, ' ');
  if (text.find('[') == std::string::npos) {
    std::string list;
    for (const std::string& word : split(text, ' '))
      if (!word.empty()) list += (list.empty() || list.ends_with(',') || word.starts_with(',') ? "" : ",") + word;
    text = "[" + list + "]";
  }
  return read_ids(parse_json(text, "the list of ids"));
}

// What stands for a token in a list: its bytes where they are text, and else as the vocabulary writes it.
std::string shown_piece(const text::Tokenizer& tokenizer, int32_t id) {
  return Json(tokenizer.token_bytes(id)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Neighbours in different colours, so that borders are seen; ids follow in the same colours.
std::string in_colour(const text::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  constexpr int kColours = 6;
  std::string pieces;
  std::string numbers;
  for (size_t i = 0; i < ids.size(); ++i) {
    const int colour = 41 + static_cast<int>(i % kColours);
    const std::string piece = shown_piece(tokenizer, ids[i]);
    pieces += fmt::format("\x1b[30;{}m{}\x1b[0m", colour, piece.substr(1, piece.size() - 2));
    numbers += fmt::format("\x1b[{}m{}\x1b[0m ", colour - 10, ids[i]);
  }
  return fmt::format("{}\n{}\n{} tokens\n", pieces, numbers, ids.size());
}

std::string as_list(const text::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  std::string lines;
  for (const int32_t id : ids) lines += fmt::format("{}\t{}\n", id, shown_piece(tokenizer, id));
  return lines;
}

// One line of JSON to another.
Json answer(const text::Tokenizer& tokenizer, const TokenizeFlags& flags, const Json& line) {
  if (flags.decode) return tokenizer.decode(read_ids(line), flags.no_special);
  if (!line.is_string()) fail(ErrorKind::InvalidArgument, "wanted a string, saw {}", line.dump().substr(0, 60));
  return tokenizer.encode(line.get_ref<const std::string&>(), !flags.no_special);
}

int tokenize(const TokenizeFlags& flags) {
  const std::unique_ptr<text::Tokenizer> tokenizer = inference::load_tokenizer(flags.path);
  Output output;
  if (flags.jsonl) {
    for_each_json_line(std::cin, [&](const Json& line) {
      output.write(answer(*tokenizer, flags, line).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    });
    return 0;
  }
  const std::string text = flags.text && *flags.text != "-" ? *flags.text : read_all(std::cin, "standard input");
  if (flags.decode) {
    output.write(tokenizer->decode(parse_ids(text), flags.no_special));
    if (output.is_terminal()) output.write("\n");
    return 0;
  }
  const std::vector<int32_t> ids = tokenizer->encode(text, !flags.no_special);
  output.write(output.is_terminal() ? in_colour(*tokenizer, ids) : as_list(*tokenizer, ids));
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("tokenize", "turn text into tokens of a model, or tokens into text");
  const auto flags = std::make_shared<TokenizeFlags>();
  command
      ->add_option("MODEL", flags->path,
                   "a directory, a .gguf file, or a file of a tokenizer: tokenizer.json, tokenizer.model ...")
      ->required();
  CLI::Option* text =
      command->add_option("-p,--prompt", flags->text, "the text, or with --decode the ids; default: standard input")
          ->type_name("TEXT");
  command->add_flag("--decode", flags->decode, "turn ids into text");
  command->add_flag("--no-special", flags->no_special,
                    "add no special tokens around the text; with --decode, leave them out of it");
  command
      ->add_flag("--jsonl", flags->jsonl,
                 "a JSON string on each line of standard input, a list of ids on each of the output; with --decode the "
                 "other way")
      ->excludes(text);
  command->callback([flags, &action] { action = [flags] { return tokenize(*flags); }; });
}

}  // namespace cleave::app
