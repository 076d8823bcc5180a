#pragma once

#include <filesystem>
#include <vector>

#include "base/mapped_file.h"
#include "ckpt/gguf/gguf.h"

namespace cleave::ckpt {

/// A GGUF model and the files that it lies in, in order.
struct GgufFiles {
  std::vector<MappedFile> files;
  GgufContents contents;  // metadata of the first file, tensors of all
};

/// Reads a GGUF file, and where it is one of several parts of a model (NAME-00001-of-00003.gguf, as gguf-split writes
/// them) the others beside it, whichever was given. Throws what parse_gguf does; Error(NotFound) that names a part
/// which is missing; Error(Corrupt) where parts do not belong together.
GgufFiles open_gguf_files(MappedFile file);

/// The part of a split model that holds the metadata: the file itself where it is whole. Throws as above, but reads no
/// other part than these two.
MappedFile open_gguf_metadata(MappedFile file);

}  // namespace cleave::ckpt
