#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace cleave {

/// Whether a file, folder or the like is at `path`. What may not be seen counts as absent.
bool is_there(const std::filesystem::path& path);

/// Whether a regular file is at `path`. What may not be seen counts as absent.
bool is_file(const std::filesystem::path& path);

/// All bytes of a file, which may also be a pipe. Throws Error: NotFound if it cannot be opened, Io if it cannot be
/// read or is a directory. For large files that are read in parts there is MappedFile.
std::string read_file(const std::filesystem::path& path);

/// Makes a file of these bytes; one that is there is replaced. Throws Error(Io) that names it if it cannot be written.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace cleave
