#pragma once

#include <filesystem>

namespace cleave::ckpt {

/// What can be given as a model, in words.
inline constexpr const char* kModelForms =
    "a directory with config.json and *.safetensors, a .gguf file, or a config.json";

/// The folder with a model's files that a path of a directory means: itself, or, where it is a model's folder in the
/// cache of Hugging Face's hub (models--ORG--NAME with refs/ and snapshots/), the snapshot that refs/main names, else
/// the only one (https://huggingface.co/docs/huggingface_hub/guides/manage-cache). Throws Error(NotFound) where
/// refs/main names none that is there, or there are several and no refs/main; Error(Corrupt) where refs/main holds no
/// name of a folder.
std::filesystem::path model_directory(const std::filesystem::path& path);

/// Throws the Error that says what is wrong with a directory without config.json that is given as a model: an adapter
/// alone, GGUF files, models of a cache, or nothing that is known.
[[noreturn]] void refuse_directory(const std::filesystem::path& path);

/// Throws the Error(InvalidArgument) that says what a file is that is given as a model and is none, and what to give.
[[noreturn]] void refuse_file(const std::filesystem::path& path);

/// Whether a JSON file has the name of one that belongs to a model and is no configuration, such as tokenizer.json.
bool is_part_of_model(const std::filesystem::path& path);

/// Says how to get weights out of those of another format that lie in a directory; "" where there are none.
std::string other_weights_hint(const std::filesystem::path& directory);

}  // namespace cleave::ckpt
