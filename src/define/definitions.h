#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "graph/graph.h"
#include "tensor/tensor_table.h"

namespace cleave::define {

/// A file below models/ as the build embedded it.
struct EmbeddedFile {
  std::string_view path;  // "llama.lua", "lib/attention.lua"
  std::string_view text;
};
std::span<const EmbeddedFile> embedded_files();

/// A model definition (docs/models.md): a Lua file and the architectures that it serves.
struct Definition {
  std::string file;    // "llama.lua"; in messages
  std::string origin;  // "built-in" or the path that it was read from
  std::string text;
  std::vector<std::string> architectures;
};

/// The definitions of a run: the built-in ones, and those that a user adds. For the architectures that it names, a
/// user's definition replaces a built-in one. Immutable once made; thread-safe.
class Definitions {
 public:
  /// `user_paths`: files, or folders of *.lua files, a later one goes before an earlier one. Throws Error: NotFound for
  /// a path that does not exist, InvalidArgument with Lua file and line for a definition that does not load.
  static Definitions load(std::span<const std::filesystem::path> user_paths = {});

  /// One definition, as it was read elsewhere.
  static Definitions of(Definition definition);

  const std::vector<Definition>& all() const { return definitions_; }
  /// Null where no definition serves it.
  const Definition* find(std::string_view architecture) const;

  /// Runs the definition of the configuration's architecture (architecture.h) over symbolic tensors: the functions of
  /// its outputs one after another, in its order, into one graph. `tensors` are the checkpoint's; null: shapes come
  /// from the definition and the configuration alone. The graph is verified. Throws Error: Unsupported for an unknown
  /// architecture, naming the nearest known ones; InvalidArgument with Lua file and line, module path and shapes seen
  /// and wanted where configuration, checkpoint and definition contradict one another; NotFound for a weight that is
  /// missing.
  graph::ModelGraph trace(const Json& config, const TensorTable* tensors) const;

 private:
  std::vector<Definition> definitions_;  // users' first
};

}  // namespace cleave::define
