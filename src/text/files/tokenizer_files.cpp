#include "text/files/tokenizer_files.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "text/files/directory_settings.h"
#include "text/files/sentencepiece.h"
#include "text/files/special_tokens.h"
#include "text/files/tiktoken.h"
#include "text/files/tokenizer_json.h"
#include "text/files/vocabulary_files.h"

namespace cleave::text {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Tokenizer> load_json(const fs::path& path) {
  const MappedFile file(path);
  return load_tokenizer_json(parse_json(file.text(), path.string()), path.string());
}

// The tokenizer.json of a directory with the tokens of the files beside it.
std::unique_ptr<Tokenizer> load_json_in(const fs::path& directory) {
  const fs::path path = directory / "tokenizer.json";
  const MappedFile file(path);
  const Json json = parse_json(file.text(), path.string());
  return load_tokenizer_json(json, path.string(), SpecialTokens::read(directory).tokens_beside(json));
}

// The pipeline of a SentencePiece or tiktoken file, both of which are called tokenizer.model.
Pipeline model_pipeline(const fs::path& path, const DirectorySettings& settings) {
  const MappedFile file(path);
  if (is_tiktoken(file.text())) return tiktoken_pipeline(file.text(), settings.tiktoken_patterns(), path.string());
  return sentencepiece_pipeline(read_sentencepiece(file.text(), path.string()), path.string());
}

// The first file of a directory with that extension, in alphabetical order.
std::optional<fs::path> find_by_extension(const fs::path& directory, const std::string& extension) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored))
    if (entry.path().extension() == extension) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::optional<Pipeline> slow_pipeline(const fs::path& directory, const DirectorySettings& settings) {
  for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"})
    if (is_file(directory / name)) return model_pipeline(directory / name, settings);
  if (const auto file = find_by_extension(directory, ".tiktoken")) return model_pipeline(*file, settings);
  if (is_file(directory / "vocab.json") && is_file(directory / "merges.txt"))
    return vocab_json_pipeline(directory / "vocab.json", directory / "merges.txt", settings);
  if (is_file(directory / "vocab.txt")) return vocab_txt_pipeline(directory / "vocab.txt", settings);
  return std::nullopt;
}

std::unique_ptr<Tokenizer> load_directory(const fs::path& directory) {
  if (is_file(directory / "tokenizer.json")) return load_json_in(directory);
  const DirectorySettings settings = DirectorySettings::read(directory);
  std::optional<Pipeline> stages = slow_pipeline(directory, settings);
  if (!stages)
    fail(ErrorKind::NotFound,
         "{} has no tokenizer: wanted tokenizer.json, tokenizer.model, spiece.model, *.tiktoken, vocab.json with "
         "merges.txt, or vocab.txt",
         directory.string());
  settings.add_tokens(*stages);
  return make_pipeline_tokenizer(std::move(*stages));
}

std::unique_ptr<Tokenizer> load_file(const fs::path& path) {
  const DirectorySettings none;
  if (path.filename() == "vocab.json")
    return make_pipeline_tokenizer(vocab_json_pipeline(path, path.parent_path() / "merges.txt", none));
  if (path.extension() == ".json") return load_json(path);
  if (path.extension() == ".txt") return make_pipeline_tokenizer(vocab_txt_pipeline(path, none));
  return make_pipeline_tokenizer(model_pipeline(path, none));
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? load_directory(path) : load_file(path);
}

}  // namespace cleave::text
