#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "ckpt/checkpoint.h"
#include "jinja/template.h"
#include "response/response_format.h"
#include "text/chat/chat_format.h"
#include "text/chat/chat_template_files.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::inference {

/// The tokenizer that comes with a checkpoint: a directory's files (text/tokenizer_files.h), or what a GGUF file holds.
/// Throws Error(NotFound) where there is none, Unsupported for a kind that is not known.
std::unique_ptr<text::Tokenizer> load_tokenizer(const ckpt::Checkpoint& checkpoint);

/// That of a path of which only the tokenizer is wanted: a directory, with or without weights, a GGUF file or one of a
/// tokenizer's own files.
std::unique_ptr<text::Tokenizer> load_tokenizer(const std::filesystem::path& path);

/// The chat template of a template's own file, named as text/chat_template_files.h has it. Throws Error(NotFound) where
/// there is none.
jinja::Template load_chat_template(const std::filesystem::path& path, const std::string& name);

/// The chat format of a path of which only that is wanted, a directory or a GGUF file; null for any other file. Throws
/// Error(NotFound) where there is no template.
std::unique_ptr<text::ChatFormat> load_chat_format(const std::filesystem::path& path);

/// What answers of a model look like, found in what its directory declares and in its chat format
/// (response/find_format.h); a GGUF file declares nothing. Throws Error(Corrupt) for a tokenizer_config.json that is no
/// JSON.
response::ResponseFormat load_response_format(const std::filesystem::path& path, const text::ChatFormat& chat);

/// The special tokens that templates may write by their names, as an object of texts ("bos_token": "<s>").
Json special_tokens(const ckpt::Checkpoint& checkpoint);

/// All chat templates of a checkpoint, by name; none where there are none.
text::ChatTemplateSources chat_templates(const ckpt::Checkpoint& checkpoint);

}  // namespace cleave::inference
