#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What a user says about how modules are to be split, in the notations that users of DeepSpeed and Transformers
/// already have (docs/configuration.md). Everything here is plain data and pure functions: text comes in, constraints
/// for the planner go out. Nothing reads files or the environment; the program does and fills OverrideSources.
namespace cleave::plan {

/// What is to become of a module.
enum class Treatment : uint8_t {
  Keep,           // whole on every rank
  Row,            // split over input features, results summed (all-reduce); an embedding: over the vocabulary
  Column,         // split over output features
  ByExpert,       // a linear of experts: the experts are dealt out whole
  InsideExperts,  // a linear of experts: each expert is split
};
std::string_view to_string(Treatment treatment);  // "keep", "row", "column", "by expert", "inside experts"

/// Who said it. A later kind wins over an earlier one.
enum class OriginKind : uint8_t { BuiltIn, ModelDirectory, ConfigFile, Environment, Flag };

struct Origin {
  OriginKind kind = OriginKind::Flag;
  std::string where;  // "--keep", "DS_KEEP_LINEAR_ITEMS", "ds.json:tensor_parallel.partition_config.layer_specs[0]"
  int file = 0;       // position among files of the same kind, of which the later wins
};

/// One wish: modules that match get the treatment.
struct Override {
  /// How `pattern` is compared with a module's path.
  enum class Syntax : uint8_t {
    Name,     // whole segments anywhere in the path: a module or all below it; or "re:" and a regex for the whole path
    PlanKey,  // whole segments at the end of the path, * is a number: a key of Transformers' tp_plan
    LayerSpec,  // a regex for the beginning of the path with ".weight" behind it: DeepSpeed's layer_specs
  };
  /// Which modules it is about.
  enum class Scope : uint8_t {
    Matching,     // those that match
    Rest,         // linears that nothing else of the same file matches (DeepSpeed's use_default_specs: false)
    EveryLinear,  // none: an error where a linear matches no LayerSpec of the same file (DeepSpeed's strict_mode)
  };

  std::string pattern;
  Treatment treatment = Treatment::Keep;
  std::vector<std::string> models;  // applies to these alone; empty: to any
  Origin origin;
  Syntax syntax = Syntax::Name;
  Scope scope = Scope::Matching;
  bool exact_models = false;           // `models` are compared with the whole model_type, as DeepSpeed's model_types
  bool optional = false;               // written for a class of models: no complaint where this one has no such module
  std::vector<std::string> spellings;  // other patterns that mean the same
};

/// A module that overrides can name.
struct ModuleInfo {
  enum class Kind : uint8_t {
    Linear,
    Embedding,
    Experts,  // a linear of every expert of a mixture
  };
  std::string name;  // "model.layers.3.mlp.down_proj"; of every expert: "model.layers.0.mlp.experts.*.down_proj"
  Kind kind = Kind::Linear;
  int64_t in = 0, out = 0;  // features; of an embedding: vocabulary and width
};

/// What models a keyword may mean: config.json's model_type ("qwen2_moe") and architectures ("Qwen2MoeForCausalLM").
struct ModelNames {
  std::string model_type;
  std::vector<std::string> architectures;
};

struct Decision {
  Treatment treatment;
  size_t override;  // index of the override that holds
};

struct Resolved {
  std::vector<std::optional<Decision>> by_module;  // as the modules; nothing where no override says anything
  std::vector<std::string> warnings;               // one line each
};

/// Which override holds for each module: the latest origin, in one origin the most specific pattern, then the latest
/// (of layer_specs the first). The expert treatments apply to linears of experts alone, so a pattern may name the whole
/// mixture. What matches nothing is a warning, under `strict` an Error(NotFound). Throws Error(InvalidArgument) for a
/// pattern that cannot be used.
Resolved resolve(std::span<const Override> overrides, std::span<const ModuleInfo> modules, const ModelNames& names,
                 bool strict);

/// Overrides of one text, and remarks for the user on what in it has no effect here; one line each.
struct ParsedOverrides {
  std::vector<Override> overrides;
  std::vector<std::string> notes;
};

/// Names to be treated alike, as a Python literal, JSON, or a comma list: "{'w2':'mixtral'}", ["o_proj"], gate,lm_head.
/// Throws Error(InvalidArgument) that points at the character.
std::vector<Override> parse_items(std::string_view text, Treatment treatment, const Origin& origin);

/// A JSON file in Cleave's own notation, DeepSpeed's or Transformers'; origin.where is its name. Throws
/// Error(InvalidArgument), and Error(Corrupt) where it is not JSON.
ParsedOverrides parse_config(std::string_view text, const Origin& origin);

/// Everything that may hold overrides, as the program found it.
struct OverrideSources {
  struct Variable {
    std::string name, value;
  };
  struct File {
    std::string name, text;
  };
  struct Flag {
    std::string name, value;  // "--keep", "lm_head"; names are those of flag_treatment()
  };
  std::optional<File> model_directory;  // its cleave.json
  std::vector<File> configs;            // of --config, in the order of the command line
  std::vector<Variable> environment;    // those of environment_variables() that are set
  std::vector<Flag> flags;
};

/// The environment variables that hold overrides.
std::vector<std::string> environment_variables();
/// What "--keep", "--all-reduce" and "--column" ask for; nothing for another flag.
std::optional<Treatment> flag_treatment(std::string_view flag);
/// All overrides, built-in ones first, in the order of their origins. Throws as parse_items() and parse_config() do.
ParsedOverrides collect_overrides(const OverrideSources& sources);

/// A finished plan in another notation.
enum class ExportFormat : uint8_t {
  TpPlan,           // Transformers' tp_plan
  PartitionConfig,  // DeepSpeed's tensor_parallel.partition_config
  Items,            // Cleave's own, whose lists are values for the environment as well
};

struct Exported {
  std::string text;                // JSON that parse_config() reads back to the same decisions, but for what notes say
  std::vector<std::string> notes;  // what the notation cannot express; one line each
};

/// REQUIRES: as many decisions as modules; modules without one are left out. Numbers in names become * where all
/// layers agree.
Exported export_decisions(std::span<const ModuleInfo> modules, std::span<const std::optional<Treatment>> decisions,
                          ExportFormat format);

}  // namespace cleave::plan
