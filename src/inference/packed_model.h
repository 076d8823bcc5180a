#pragma once

#include <filesystem>

#include "inference/group.h"
#include "inference/log.h"
#include "inference/opened.h"
#include "inference/options.h"
#include "inference/packed_description.h"
#include "runtime/device/device.h"

namespace cleave::inference {

// A packed model is a folder in which each rank keeps its weights as it has packed them, in a file of its own
// (runtime/device/packed_part.h), and packed.json says of what split they are. It opens as a model, loads without
// packing, and stands alone: configuration and tokenizer are in it, too.

/// Splits an opened model over the group's ranks, loads it, and writes a packed model into `directory`, which must be
/// empty or absent. On other machines each process writes the files of its own ranks there. Throws Error:
/// InvalidArgument where the folder holds something, Io where it cannot be written; as load() does.
void write_packed_model(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                        Group& group, const std::filesystem::path& directory, const Log& log = {},
                        const runtime::Progress& progress = {});

/// Whether the folder holds a packed model.
bool is_packed_model(const std::filesystem::path& directory);

/// The description of a packed model. Throws Error: Corrupt; Unsupported where another version has written it.
PackedModel read_packed_model(const std::filesystem::path& directory);

/// Throws Error(InvalidArgument) where the user wants another precision, split or number of ranks than those that the
/// model was packed with.
void require_as_packed(const PackedModel& packed, const NumberOptions& numbers, const SplitOptions& split, int ranks);

}  // namespace cleave::inference
