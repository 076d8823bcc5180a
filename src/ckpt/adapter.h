#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// Applies the adapter that lies beside a model, adapter_config.json with adapter_model.safetensors as PEFT writes them
/// (https://huggingface.co/docs/peft/developer_guides/checkpoint), to the model's tensors: a LoRA adds scale * B A to
/// each weight that it names, and whole tensors that it has (modules_to_save, biases) take the place of the model's.
/// The file of the adapter is appended to `files`, from which tensors borrow.
///
/// Gives a line that says what was done; "" where there is no adapter. Throws Error: Unsupported for an adapter of
/// another kind, a LoRA that does more than that (DoRA and the like) or weights in another format, naming it; NotFound
/// where a weight that it changes is not the model's; Corrupt where shapes do not fit.
std::string apply_adapter(const std::filesystem::path& directory, NamedTensors& tensors,
                          std::vector<MappedFile>& files);

}  // namespace cleave::ckpt
