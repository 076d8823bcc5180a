#include "runtime/cpu/weight_store.h"

#include <cstring>
#include <utility>

#include "base/error.h"
#include "runtime/cpu/load_parameter.h"

namespace cleave::runtime::cpu {

using lower::Parameter;

int64_t LoadedParameter::bytes() const {
  return static_cast<int64_t>((matrix ? matrix->bytes() : 0) + vector.size() * sizeof(float) + memory.size());
}

WeightStore::WeightStore(WeightSource& source, std::span<const Parameter> parameters, const Options& options,
                         ThreadPool& pool, const Progress& progress)
    : part_(source.packed()),
      layouts_(source.layouts().begin(), source.layouts().end()),
      stored_bytes_(source.stored_bytes()) {
  for (const Parameter& parameter : parameters)
    if (parameter.use != graph::WeightUse::Vector && !parameter.view.functions.empty())
      fail(ErrorKind::Unsupported, "weight {}: only vectors can be changed by scale, shift or unary", parameter.name);
  if (part_)
    take_packed(source, parameters, options, pool, progress);
  else
    pack(source, parameters, options, pool, progress);
}

void WeightStore::pack(WeightSource& source, std::span<const Parameter> parameters, const Options& options,
                       ThreadPool& pool, const Progress& progress) {
  int64_t done = 0;
  const int64_t total = source.total_bytes();
  for (const Parameter& parameter : parameters) {
    const WeightRows& rows = source.next();
    LoadedParameter& loaded = parameters_.emplace_back();
    switch (parameter.use) {
      case graph::WeightUse::Matrix:
        loaded.matrix = load_matrix(rows, parameter, options, arena_, pool);
        break;
      case graph::WeightUse::Table:
        loaded.table = load_table(rows, loaded.memory);
        break;
      case graph::WeightUse::Vector:
        loaded.vector = load_vector(rows, parameter, pool);
        break;
    }
    done += rows.layout().bytes();
    progress(done, total);
  }
}

void WeightStore::take_packed(const WeightSource& source, std::span<const Parameter> parameters, const Options& options,
                              ThreadPool& pool, const Progress& progress) {
  std::span<const std::byte> matrices = part_->data().first(static_cast<size_t>(part_->description().arena_bytes));
  if (!source.stays_mapped()) {
    copy_ = copy_packed(*part_, pool, progress);
    matrices = copy_.bytes().first(matrices.size());
  }
  arena_ = kernels::WeightArena(matrices);
  for (size_t p = 0; p < parameters.size(); ++p) {
    LoadedParameter& loaded = parameters_.emplace_back();
    const std::span<const std::byte> piece = part_->piece(p);
    switch (parameters[p].use) {
      case graph::WeightUse::Matrix:
        loaded.matrix = packed_matrix(layouts_[p], parameters[p], options, arena_, pool);
        break;
      case graph::WeightUse::Table:
        loaded.table = {layouts_[p].dtype, {layouts_[p].num_rows, layouts_[p].row_elements}, piece};
        break;
      case graph::WeightUse::Vector:
        loaded.vector.resize(piece.size() / sizeof(float));
        std::memcpy(loaded.vector.data(), piece.data(), loaded.vector.size() * sizeof(float));
        break;
    }
  }
}

// Matrices first, as the arena has handed them out.
void WeightStore::save(const std::filesystem::path& file, const PartIdentity& identity) const {
  PartWriter writer(file);
  PartDescription description{.identity = identity, .pieces = {}, .stored_bytes = stored_bytes_};
  for (const RowLayout& layout : layouts_) description.pieces.push_back({.layout = layout});
  const auto add = [&](size_t p, std::span<const std::byte> bytes) {
    description.pieces[p].offset = writer.add(bytes);
    description.pieces[p].bytes = static_cast<int64_t>(bytes.size());
  };
  for (size_t p = 0; p < parameters_.size(); ++p)
    if (parameters_[p].matrix) add(p, parameters_[p].matrix->packed());
  description.arena_bytes = writer.data_bytes();
  for (size_t p = 0; p < parameters_.size(); ++p) {
    if (parameters_[p].matrix) continue;
    const LoadedParameter& parameter = parameters_[p];
    const bool is_table = !parameter.table.bytes.empty();
    add(p, is_table ? parameter.table.bytes : std::as_bytes(std::span(parameter.vector)));
    description.pieces[p].layout.is_mapped = is_table;
  }
  writer.finish(std::move(description));
}

int64_t WeightStore::bytes() const {
  int64_t bytes = 0;
  for (const LoadedParameter& parameter : parameters_) bytes += parameter.bytes();
  return bytes;
}

int64_t packed_bytes(const RowLayout& rows, const Parameter& parameter, const Options& options) {
  switch (parameter.use) {
    case graph::WeightUse::Matrix:
      break;
    case graph::WeightUse::Table:
      return rows.is_mapped ? 0 : rows.bytes();
    case graph::WeightUse::Vector:
      return rows.num_rows * rows.row_elements * static_cast<int64_t>(sizeof(float));
  }
  return packed_matrix_bytes(rows, parameter, options);
}

}  // namespace cleave::runtime::cpu
