#include "define/definitions.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "define/architecture.h"
#include "define/config.h"
#include "define/lua_state.h"
#include "define/tracer.h"

namespace cleave::define {
namespace {

bool is_library(std::string_view path) {
  return path.starts_with("lib/");
}

// Library files define the globals that definitions use; "lib/core.lua" comes first, for the others use it.
void load_library(LuaState& lua) {
  const auto load = [&](bool core) {
    for (const EmbeddedFile& file : embedded_files())
      if (is_library(file.path) && (file.path == "lib/core.lua") == core)
        lua.run(file.text, std::string(file.path), 0, false);
  };
  load(true);
  load(false);
}

// Runs a definition's file and leaves the table that it returns on the stack.
void load_definition(LuaState& lua, const Definition& definition) {
  lua.run(definition.text, definition.file, 1, true);
  if (!lua_istable(lua.get(), -1))
    fail(ErrorKind::InvalidArgument, "model definition {} returns {}, wanted a table such as causal_lm{{...}} makes",
         definition.file, luaL_typename(lua.get(), -1));
}

std::vector<std::string> read_architectures(LuaState& lua, const Definition& definition) {
  load_definition(lua, definition);
  lua_State* state = lua.get();
  std::vector<std::string> names;
  if (lua_getfield(state, -1, "architectures") == LUA_TTABLE) {
    const auto count = static_cast<lua_Integer>(lua_rawlen(state, -1));
    for (lua_Integer i = 1; i <= count; ++i) {
      if (lua_rawgeti(state, -1, i) == LUA_TSTRING) names.emplace_back(lua_tostring(state, -1));
      lua_pop(state, 1);
    }
  }
  lua_pop(state, 2);
  if (names.empty())
    fail(ErrorKind::InvalidArgument, "model definition {} names no architectures, wanted architectures = {{\"...\"}}",
         definition.file);
  return names;
}

std::vector<std::filesystem::path> definition_files(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) fail(ErrorKind::NotFound, "model definition {} does not exist", path.string());
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.path().extension() == ".lua") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty()) fail(ErrorKind::NotFound, "{} holds no .lua files", path.string());
  return files;
}

std::vector<std::string> served_by(const std::vector<Definition>& definitions) {
  std::vector<std::string> names;
  for (const Definition& d : definitions) names.insert(names.end(), d.architectures.begin(), d.architectures.end());
  return names;
}

[[noreturn]] void unknown_architecture(const Json& config, const std::vector<std::string>& known) {
  const Json& list = config.contains("architectures") ? config["architectures"] : Json();
  if (!list.is_array() || list.empty() || !list[0].is_string())
    fail(ErrorKind::Unsupported,
         "the configuration names no architecture{}, wanted \"architectures\": [\"...ForCausalLM\"]",
         config.contains("model_type")
             ? fmt::format(", and no definition serves its model_type {}", in_quotes(config["model_type"].dump(), '\''))
             : "");
  const std::string architecture = list[0].get<std::string>();
  const std::vector<std::string> near = nearest_names(architecture, known);
  fail(ErrorKind::Unsupported,
       "no model definition for architecture {}{}; `cleave models` lists all, --model-def adds one", architecture,
       near.empty() ? "" : fmt::format(" (nearest: {})", join(near, ", ")));
}

// The architecture by which the configuration is computed.
std::string architecture_of(const Json& config, const std::vector<Definition>& definitions) {
  const std::vector<std::string> served = served_by(definitions);
  if (!config.is_object()) fail(ErrorKind::Corrupt, "config is no JSON object");
  std::optional<std::string> name = served_architecture(config, served);
  if (!name) unknown_architecture(config, served);
  return *std::move(name);
}

[[noreturn]] void malformed_outputs(const Definition& definition) {
  fail(ErrorKind::InvalidArgument,
       "model definition {}: outputs must be a list such as {{ {{ \"decode\", function(config) ... end }} }}, with "
       "names "
       "that differ",
       definition.file);
}

// Replaces the entry { name, function } on the stack by the function and gives the name.
std::string take_output(lua_State* state, const Definition& definition, const graph::Graph& graph) {
  if (!lua_istable(state, -1) || lua_rawgeti(state, -1, 1) != LUA_TSTRING) malformed_outputs(definition);
  std::string name = lua_tostring(state, -1);
  if (std::ranges::count(graph.outputs(), name, &graph::Output::name) > 0) malformed_outputs(definition);
  if (lua_rawgeti(state, -2, 2) != LUA_TFUNCTION) malformed_outputs(definition);
  lua_insert(state, -3);
  lua_pop(state, 2);
  return name;
}

// Calls the functions of the definition on the stack's top in their order.
void trace_outputs(LuaState& lua, const Definition& definition, const Json& config, graph::Graph& graph) {
  lua_State* state = lua.get();
  if (lua_getfield(state, -1, "outputs") != LUA_TTABLE)
    fail(ErrorKind::InvalidArgument,
         "model definition {} has no outputs, wanted a table such as causal_lm{{...}} makes", definition.file);
  const auto count = static_cast<lua_Integer>(lua_rawlen(state, -1));
  if (count == 0) malformed_outputs(definition);
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(state, -1, i);
    std::string name = take_output(state, definition, graph);
    lua.push(config);
    lua.call(1, 1);
    graph.add_output(std::move(name), to_tensor(state, -1));
    lua_pop(state, 1);
  }
}

}  // namespace

Definitions Definitions::load(std::span<const std::filesystem::path> user_paths) {
  Definitions all;
  LuaState lua;
  Tracer tracer(lua, nullptr);
  load_library(lua);
  const auto add = [&](Definition definition) {
    definition.architectures = read_architectures(lua, definition);
    all.definitions_.push_back(std::move(definition));
  };
  for (size_t i = user_paths.size(); i-- > 0;)
    for (const std::filesystem::path& file : definition_files(user_paths[i]))
      add({file.filename().string(), file.string(), read_file(file), {}});
  for (const EmbeddedFile& file : embedded_files())
    if (!is_library(file.path)) add({std::string(file.path), "built-in", std::string(file.text), {}});
  return all;
}

Definitions Definitions::of(Definition definition) {
  Definitions one;
  one.definitions_.push_back(std::move(definition));
  return one;
}

const Definition* Definitions::find(std::string_view architecture) const {
  for (const Definition& definition : definitions_)
    if (std::ranges::count(definition.architectures, architecture) > 0) return &definition;
  return nullptr;
}

graph::ModelGraph Definitions::trace(const Json& original_config, const TensorTable* tensors) const {
  const std::string architecture = architecture_of(original_config, definitions_);
  const Definition* definition = find(architecture);
  const Json config = normalize_config(original_config);
  LuaState lua;
  Tracer tracer(lua, tensors);
  load_library(lua);
  load_definition(lua, *definition);
  graph::ModelGraph model{architecture, definition->file, {}};
  tracer.begin(model.graph);
  trace_outputs(lua, *definition, config, model.graph);
  graph::verify(model.graph);
  return model;
}

}  // namespace cleave::define
