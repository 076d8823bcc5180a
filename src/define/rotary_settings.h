#pragma once

#include "define/completion.h"
#include "define/config_classes.h"

namespace cleave::define {

/// Reads null as "nothing turns queries and keys" where it means that, and otherwise as absent. To be called before
/// defaults are filled in. `of_class` is null where no class reads the configuration.
void read_absent_rope(Completion& c, const ConfigClass* of_class);

/// Brings rotary settings of every version into `rope_parameters` as version 5 writes them, each kind complete: with
/// rope_type, rope_theta and, where it applies, partial_rotary_factor; nested by layer type where types differ. To be
/// called after defaults are filled in. Throws Error(Corrupt) where rope_parameters is no object.
void normalize_rope(Completion& c, const ConfigClass* of_class);

}  // namespace cleave::define
