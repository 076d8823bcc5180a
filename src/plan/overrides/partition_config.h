#pragma once

#include "plan/overrides/config_field.h"

namespace cleave::plan {

/// DeepSpeed's tensor_parallel.partition_config: layer_specs, use_default_specs, strict_mode. Throws
/// Error(InvalidArgument) for what DeepSpeed refuses, and for a partition_dim that contradicts the partition_type.
void read_partition_config(const ConfigField& config, ParsedOverrides& out);

/// DeepSpeed's injection_policy: an object of layer classes and the names of the linears in them whose results are
/// summed, each a name, an array, or a Python tuple in a string.
void read_injection_policy(const ConfigField& policy, ParsedOverrides& out);

}  // namespace cleave::plan
