#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "app/run_model.h"
#include "app/sentence_model.h"
#include "app/terminal/jsonl.h"
#include "app/terminal/npy.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "inference/answer.h"
#include "inference/embedding/embedder.h"
#include "inference/embedding/text_preparation.h"
#include "inference/tokenizer.h"

namespace cleave::app {
namespace {

struct EmbedFlags {
  ModelFlags model;
  std::optional<std::string> text, prompt_name, prompt;
  std::optional<std::filesystem::path> file, npy;
  std::optional<int64_t> dimensions, max_length;
  bool jsonl = false, normalize = false, refuse_long = false;
};

void add_lines(std::istream& stream, bool jsonl, std::vector<std::string>& texts) {
  if (!jsonl) return for_each_line(stream, [&](const std::string& line) { texts.push_back(line); });
  for_each_json_line(stream, [&](const Json& line) {
    if (!line.is_string()) fail(ErrorKind::InvalidArgument, "wanted a string, saw {}", line.dump().substr(0, 60));
    texts.push_back(line.get<std::string>());
  });
}

std::vector<std::string> read_texts(const EmbedFlags& flags) {
  std::vector<std::string> texts;
  if (flags.text) {
    texts.push_back(*flags.text);
  } else if (flags.file && *flags.file != "-") {
    std::ifstream stream(*flags.file);
    if (!stream) fail(ErrorKind::NotFound, "{} cannot be opened", flags.file->string());
    add_lines(stream, flags.jsonl, texts);
  } else {
    add_lines(std::cin, flags.jsonl, texts);
  }
  if (texts.empty()) fail(ErrorKind::InvalidArgument, "there is no text; wanted one on each line");
  return texts;
}

/// The texts as tokens.
struct Prepared {
  std::vector<inference::PreparedText> texts;
  int64_t longest = 0, tokens = 0, cut = 0;
};

Prepared prepare(const EmbedFlags& flags, const inference::TextPreparation& preparation) {
  const std::string prompt = flags.prompt ? *flags.prompt : preparation.prompt(flags.prompt_name);
  Prepared all;
  for (const std::string& text : read_texts(flags)) {
    inference::PreparedText prepared = preparation.prepare(prompt, text);
    if (prepared.is_cut && flags.refuse_long)
      fail(ErrorKind::InvalidArgument, "text {} has more than {} tokens, which is all that the model reads",
           all.texts.size() + 1, prepared.ids.size());
    const auto length = static_cast<int64_t>(prepared.ids.size());
    all.longest = std::max(all.longest, length);
    all.tokens += length;
    all.cut += prepared.is_cut ? 1 : 0;
    all.texts.push_back(std::move(prepared));
  }
  return all;
}

// What the flags want of a vector.
std::vector<float> finished(const EmbedFlags& flags, std::vector<float> vector) {
  if (flags.dimensions) vector.resize(static_cast<size_t>(*flags.dimensions));
  if (flags.normalize) inference::normalize(vector);
  return vector;
}

std::vector<std::vector<float>> compute(const EmbedFlags& flags, const Prepared& prepared,
                                        inference::Embedder& embedder) {
  std::vector<inference::EmbeddingInput> inputs;
  for (const inference::PreparedText& text : prepared.texts) inputs.push_back({text.ids, text.left_out});
  std::vector<std::vector<float>> vectors(inputs.size());
  ProgressBar bar("embedding", "texts");
  int64_t done = 0;
  embedder.embed(inputs, [&](size_t index, std::vector<float> vector) {
    vectors[index] = finished(flags, std::move(vector));
    bar.update(++done, static_cast<int64_t>(inputs.size()));
  });
  return vectors;
}

void write(const EmbedFlags& flags, const std::vector<std::vector<float>>& vectors) {
  if (flags.npy) return write_npy(*flags.npy, vectors);
  Output output;
  for (const std::vector<float>& vector : vectors) output.write(Json(vector).dump() + "\n");
}

void report(const Prepared& prepared, double seconds) {
  note(
      fmt::format("{} texts of {} tokens in {:.2f} s, {:.1f} tokens/s{}", prepared.texts.size(), prepared.tokens,
                  seconds, static_cast<double>(prepared.tokens) / seconds,
                  prepared.cut > 0 ? fmt::format("; {} were longer than the model reads, and cut", prepared.cut) : ""));
}

int embed(const EmbedFlags& flags, inference::Group& group) {
  ModelFlags model_flags = flags.model;
  const inference::SentenceModules modules = read_sentence_model(model_flags);
  const inference::OpenedModel opened = open_model(model_flags);
  opened.require_weights();
  inference::embedding_sizes(opened, 1);  // for its refusal
  const int64_t width = modules.output_width(opened.output_width());
  if (flags.dimensions && *flags.dimensions > width)
    fail(ErrorKind::InvalidArgument, "--dimensions {}, where a vector has {} numbers", *flags.dimensions, width);
  const std::unique_ptr<text::Tokenizer> tokenizer = inference::load_tokenizer(opened.checkpoint);
  const inference::TextPreparation preparation(opened, modules, *tokenizer, flags.max_length);
  const Prepared prepared = prepare(flags, preparation);
  const inference::LoadedModel model = load_model(
      opened, model_flags, {.numerics = {}, .sizes = inference::embedding_sizes(opened, prepared.longest)}, group);
  inference::Embedder embedder(opened, modules, *model.split);
  const double start = inference::seconds_now();
  const std::vector<std::vector<float>> vectors = compute(flags, prepared, embedder);
  const double seconds = inference::seconds_now() - start;
  write(flags, vectors);
  report(prepared, seconds);
  return 0;
}

// -p, -f, --jsonl, --prompt-name, --prompt.
void add_text_flags(CLI::App& command, EmbedFlags& flags) {
  CLI::Option* text = command.add_option("-p,--text", flags.text, "one text")->type_name("TEXT");
  command.add_option("-f,--file", flags.file, "a text on each line (default, or -: standard input)")
      ->type_name("FILE")
      ->excludes(text);
  command.add_flag("--jsonl", flags.jsonl, "each line of the input is a JSON string")->excludes(text);
  CLI::Option* name =
      command.add_option("--prompt-name", flags.prompt_name, "precede texts with the model's prompt of this name")
          ->type_name("NAME");
  command.add_option("--prompt", flags.prompt, "precede texts with this one")->type_name("TEXT")->excludes(name);
  command.add_option("--max-length", flags.max_length, "most tokens of a text (default: as the model's files say)")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 20))
      ->type_name("N");
  command.add_flag("--refuse-long", flags.refuse_long, "a longer text is an error; otherwise it is cut");
}

}  // namespace

void add_embed(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("embed", "make vectors of texts: JSON lists, one on each line");
  const auto flags = std::make_shared<EmbedFlags>();
  add_model_path(*command, flags->model);
  add_text_flags(*command, *flags);
  command->add_option("--dimensions", flags->dimensions, "keep the first N numbers of each vector")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_flag("--normalize", flags->normalize, "scale vectors to length 1 in the end");
  command->add_option("--npy", flags->npy, "write an array for NumPy to a file, in place of lists")->type_name("FILE");
  add_compute_flags(*command, flags->model);
  act_in_group(*command, action, flags, embed);
}

}  // namespace cleave::app
