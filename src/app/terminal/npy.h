#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace cleave::app {

/// Writes vectors of one length as an array [vectors, numbers] of f32 for NumPy (format 1.0,
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Throws Error(Io).
void write_npy(const std::filesystem::path& path, std::span<const std::vector<float>> vectors);

}  // namespace cleave::app
