#pragma once

#include <memory>
#include <span>

#include "lower/program.h"
#include "runtime/device/packed_part.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

/// The weights of a rank as an earlier run has packed them. Borrows the parameters. Throws Error: NotFound where the
/// rank's file is missing; InvalidArgument where it is of another model, rank or split; as PackedPart does.
std::unique_ptr<WeightSource> packed_weights(const PackedParts& parts, int rank, int ranks,
                                             std::span<const lower::Parameter> parameters);

}  // namespace cleave::runtime
