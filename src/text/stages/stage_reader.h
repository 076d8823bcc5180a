#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json_field.h"

namespace cleave::text {

/// A row of a table of readers: the `type` of a stage in a tokenizer.json, and the function that makes the stage.
template <class Stage>
struct StageReader {
  const char* type;
  std::unique_ptr<Stage> (*read)(const JsonField&);
};

/// Throws Error(Unsupported): the field is a `kind` ("normalizer") of a `type` that is not among the `known` ones.
[[noreturn]] void unknown_stage(const JsonField& field, const char* kind, const std::string& type,
                                std::span<const std::string> known);

/// Makes the stage that a field describes by the row of its type. `kind` names the stage in the error for a type that
/// has no row.
template <class Stage, size_t N>
std::unique_ptr<Stage> read_stage(const StageReader<Stage> (&readers)[N], const JsonField& field, const char* kind) {
  const std::string& type = field.at("type").string();
  for (const StageReader<Stage>& reader : readers)
    if (type == reader.type) return reader.read(field);
  std::vector<std::string> known;
  for (const StageReader<Stage>& reader : readers) known.emplace_back(reader.type);
  unknown_stage(field, kind, type, known);
}

}  // namespace cleave::text
