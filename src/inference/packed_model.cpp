#include "inference/packed_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "ckpt/gguf/writer.h"
#include "inference/loaded.h"

namespace cleave::inference {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr const char* kDescriptionFile = "packed.json";
constexpr const char* kVocabularyFile = "tokenizer.gguf";

// Files of a model's folder that a packed model does not need: weights, and what the description holds.
constexpr std::array kLeftOut = {".safetensors", ".bin",
                                 ".pt",          ".pth",
                                 ".gguf",        ".h5",
                                 ".msgpack",     ".onnx",
                                 ".index.json",  ".safetensors.index.json",
                                 "cleave.json",  "adapter_config.json",
                                 "packed.json",  ".packed",
                                 ".incomplete"};

void prepare_folder(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) fail(ErrorKind::Io, "cannot make the folder {}: {}", directory.string(), error.message());
  const fs::directory_iterator entries(directory, error);
  if (error) fail(ErrorKind::Io, "cannot list {}: {}", directory.string(), error.message());
  if (entries != fs::directory_iterator())
    fail(ErrorKind::InvalidArgument, "{} holds {}: give a folder that is empty or does not exist", directory.string(),
         entries->path().filename().string());
}

bool is_left_out(const std::string& name) {
  return std::ranges::any_of(kLeftOut, [&](const char* ending) { return name.ends_with(ending); });
}

void copy_companions(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(from, error)) {
    const std::string name = entry.path().filename().string();
    const bool templates = entry.is_directory(error) && name == "additional_chat_templates";
    if (!templates && (!entry.is_regular_file(error) || is_left_out(name))) continue;
    fs::copy(entry.path(), to / name, fs::copy_options::recursive, error);
    if (error) break;
  }
  if (error)
    fail(ErrorKind::Io, "cannot copy the tokenizer from {} to {}: {}", from.string(), to.string(), error.message());
}

// Configuration and tokenizer, as files of a Hugging Face folder; a GGUF file's vocabulary as a file without tensors.
void write_companions(const ckpt::Checkpoint& checkpoint, const fs::path& directory) {
  if (checkpoint.gguf() == nullptr) {
    copy_companions(checkpoint.directory(), directory);
    return;
  }
  write_file(directory / "config.json", checkpoint.config().dump(2));
  write_file(directory / "generation_config.json", checkpoint.generation_config().dump(2));
  write_file(directory / kVocabularyFile, ckpt::metadata_to_gguf(*checkpoint.gguf()));
}

bool has_wishes(const SplitOptions& split) {
  return !split.rank_weights.empty() || split.policy != plan::Policy::Auto || !split.overrides.configs.empty() ||
         !split.overrides.environment.empty() || !split.overrides.flags.empty();
}

std::string_view name_of(const runtime::Numerics& numerics) {
  if (numerics.exact) return "exact";
  switch (numerics.weights) {
    case kernels::WeightFormat::AsStored:
      return "stored";
    case kernels::WeightFormat::Int8:
      return "int8";
    case kernels::WeightFormat::Int4:
      break;
  }
  return "int4";
}

}  // namespace

void write_packed_model(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                        Group& group, const fs::path& directory, const Log& log, const runtime::Progress& progress) {
  if (opened.packed) fail(ErrorKind::InvalidArgument, "{} is packed already", opened.packed->directory.string());
  prepare_folder(directory);
  const runtime::Options smallest{.numerics = {}, .sizes = {.max_tokens = 1, .max_output_rows = 1, .kv_tokens = 1}};
  const ModelMessage message =
      load_and_save(opened, numbers, split, smallest, group, fs::absolute(directory), log, progress);
  write_companions(opened.checkpoint, directory);
  const Json description = {
      {"version", kVersion}, {"model", message.save->model}, {"ranks", group.num_ranks()}, {"split", to_text(message)}};
  write_file(directory / kDescriptionFile, description.dump(2) + "\n");  // last: without it the folder is no model
}

bool is_packed_model(const fs::path& directory) {
  return is_there(directory / kDescriptionFile);
}

PackedModel read_packed_model(const fs::path& directory) {
  const fs::path file = directory / kDescriptionFile;
  const Json json = parse_json(read_file(file), file.string());
  try {
    if (const int version = json.at("version").get<int>(); version != kVersion)
      fail(ErrorKind::Unsupported, "{} has version {}, this program reads {}; make it again with cleave shard",
           file.string(), version, kVersion);
    PackedModel packed{directory, json.at("model").get<std::string>(), json.at("ranks").get<int>(),
                       parse_model_message(json.at("split").get<std::string>())};
    if (packed.ranks < 1) fail(ErrorKind::Corrupt, "{}: packed for {} ranks", file.string(), packed.ranks);
    packed.message.save.reset();
    return packed;
  } catch (const Json::exception& error) {
    fail(ErrorKind::Corrupt, "{} does not describe a packed model: {}", file.string(), error.what());
  }
}

void require_as_packed(const PackedModel& packed, const NumberOptions& numbers, const SplitOptions& split, int ranks) {
  const std::string folder = packed.directory.string();
  if (ranks != packed.ranks)
    fail(ErrorKind::InvalidArgument, "{} is packed for {} rank{}, not for {}: run it with {}, or pack the model again",
         folder, packed.ranks, packed.ranks == 1 ? "" : "s", ranks, packed.ranks);
  const runtime::Numerics wanted{.exact = numbers.exact, .weights = numbers.weights};
  const std::string_view found = name_of(packed.message.options.numerics);
  if (name_of(wanted) != "stored" && name_of(wanted) != found)
    fail(ErrorKind::InvalidArgument, "{} is packed with weights \"{}\", wanted \"{}\": pack the model again", folder,
         found, name_of(wanted));
  if (has_wishes(split))
    fail(
        ErrorKind::InvalidArgument,
        "{} is split already: rank weights, a policy and overrides (flags, files and environment variables) count when "
        "a model is packed",
        folder);
}

}  // namespace cleave::inference
