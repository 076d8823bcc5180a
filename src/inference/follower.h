#pragma once

#include <filesystem>

#include "inference/group.h"

namespace cleave::inference {

/// What a process does that does not have rank 0: takes its part of the models that rank 0 loads, and computes with
/// them until rank 0 is done. A model's files are read where they are here and hold the same tensors, at `path` or
/// where rank 0 has them; otherwise rank 0 sends the weights. REQUIRES: not group.leads(). Throws Error.
void follow(const std::filesystem::path& path, Group& group);

}  // namespace cleave::inference
