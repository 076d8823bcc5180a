#include "ckpt/model_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/mapped_file.h"
#include "base/untrusted_text.h"
#include "ckpt/config.h"
#include "ckpt/hf_directory.h"

namespace cleave::ckpt {
namespace {

namespace fs = std::filesystem;

// Files of weights that are not read, by the ends of their names.
constexpr std::array<std::string_view, 7> kOtherWeights = {".bin", ".pt", ".pth", ".ckpt", ".h5", ".npz", ".msgpack"};

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Names of what a directory holds, sorted; none where it cannot be listed.
std::vector<std::string> entries(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// The snapshot that refs/main names.
fs::path main_snapshot(const fs::path& path) {
  const fs::path reference = path / "refs" / "main";
  const MappedFile file(reference);
  const std::string_view name = file.text().substr(0, file.text().find_first_of(" \r\n"));
  if (name.empty() || name.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
    fail(ErrorKind::Corrupt, "{} holds {}, wanted the name of a folder in {}", reference.string(), in_quotes(name),
         (path / "snapshots").string());
  fs::path snapshot = path / "snapshots" / name;
  if (!is_folder(snapshot))
    fail(ErrorKind::NotFound, "{} names snapshot {}, which is missing in {}; download the model again",
         reference.string(), name, (path / "snapshots").string());
  return snapshot;
}

bool holds_other_weights(std::string_view name) {
  return std::ranges::any_of(kOtherWeights, [&](std::string_view end) { return name.ends_with(end); }) &&
         name != "training_args.bin" && !name.starts_with("adapter_model");
}

// What the adapter's configuration says of the model that it changes.
std::string base_model(const fs::path& adapter_config) {
  const Json config = read_config(adapter_config);
  const auto base = config.find("base_model_name_or_path");
  return base != config.end() && base->is_string() ? " for the model " + in_quotes(base->get<std::string>()) : "";
}

}  // namespace

fs::path model_directory(const fs::path& path) {
  const fs::path snapshots = path / "snapshots";
  if (is_there(path / "config.json") || !is_folder(snapshots)) return path;
  if (is_there(path / "refs" / "main")) return main_snapshot(path);
  const std::vector<std::string> names = entries(snapshots);
  if (names.size() == 1) return snapshots / names.front();
  fail(ErrorKind::NotFound, "{} has {} snapshots and no refs/main that names one; give a folder in {}", path.string(),
       names.size(), snapshots.string());
}

void refuse_directory(const fs::path& path) {
  const fs::path adapter = path / "adapter_config.json";
  if (is_there(adapter))
    fail(ErrorKind::Unsupported,
         "{} holds an adapter{}, and not the model's weights: put its adapter_config.json and "
         "adapter_model.safetensors beside that "
         "model's files, or merge the two (PEFT's merge_and_unload)",
         path.string(), base_model(adapter));
  const std::vector<std::string> names = entries(path);
  const auto named = [&](auto matches) {
    const auto found = std::ranges::find_if(names, matches);
    return found == names.end() ? std::string() : (path / *found).string();
  };
  std::string hint = named([](const std::string& name) { return name.ends_with(".gguf"); });
  if (!hint.empty()) hint = "; give the file, as in " + hint;
  const std::string cached = named([](const std::string& name) { return name.starts_with("models--"); });
  if (hint.empty() && !cached.empty()) hint = "; it is a cache of models: give one of them, as in " + cached;
  fail(ErrorKind::NotFound, "no config.json in {}: expected {}{}", path.string(), kModelForms, hint);
}

void refuse_file(const fs::path& path) {
  const std::string name = path.filename().string();
  std::string what;
  if (name.ends_with(".safetensors")) what = "holds weights without a configuration: give the directory that it is in";
  if (is_part_of_model(path)) what = "belongs to a model and is none: give the directory that it is in";
  if (holds_other_weights(name)) what = "is of a format that is not read" + other_weights_hint(path.parent_path());
  if (what.empty()) what = fmt::format("is no model: expected {}", kModelForms);
  fail(ErrorKind::InvalidArgument, "{} {}", path.string(), what);
}

bool is_part_of_model(const fs::path& path) {
  const std::string name = path.filename().string();
  for (const char* part : {"tokenizer.json", "tokenizer_config.json", "generation_config.json", "adapter_config.json",
                           "special_tokens_map.json", "added_tokens.json", "vocab.json", "preprocessor_config.json",
                           "quantize_config.json", "processor_config.json", "chat_template.json"})
    if (name == part) return true;
  return name.ends_with(".index.json");
}

std::string other_weights_hint(const fs::path& directory) {
  for (const std::string& name : entries(directory))
    if (holds_other_weights(name))
      return fmt::format(
          " ({} is not read; convert it: python3 -c \"from transformers import AutoModelForCausalLM as M; "
          "M.from_pretrained('{}').save_pretrained('NEW_FOLDER')\")",
          name, directory.string());
  return "";
}

}  // namespace cleave::ckpt
