#pragma once

#include <memory>
#include <span>

#include "ckpt/tensor_source.h"
#include "lower/program.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

/// Parameters out of stored tensors. Borrows both. Throws as WeightReader does, before anything is read.
std::unique_ptr<WeightSource> weights_from_files(const ckpt::TensorSource& tensors,
                                                 std::span<const lower::Parameter> parameters);

}  // namespace cleave::runtime
