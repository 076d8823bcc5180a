#pragma once

#include <vector>

#include "lower/parameter_table.h"
#include "lower/program.h"

namespace cleave::lower {

/// Changes instructions into fewer or cheaper ones that compute the same, bit for bit: functions into the
/// multiplication that alone uses them, products of one value next to each other. Latent attention's products become a
/// part of it, which then chooses among two ways to the same. REQUIRES: no value has a place yet.
void fuse(Program& program, ParameterTable& parameters, const std::vector<KvLayer>& kv_layers);
/// The part of fuse() that is about latent attention.
void fuse_latent_attention(Program& program, ParameterTable& parameters, const std::vector<KvLayer>& kv_layers);

/// Gives every value its place in an arena that is as small as first-fit makes it: values that do not live at the same
/// time share memory. An instruction's output never shares memory with its inputs.
void assign_offsets(Program& program);

}  // namespace cleave::lower
