#pragma once

#include <string_view>

#include "define/completion.h"
#include "define/config_classes.h"

namespace cleave::define {

/// Gives keys that the class reads under several names all of these, as far as the class knows them. `of_class` is null
/// where no class reads the configuration.
void unify_names(const ConfigClass* of_class, std::string_view model_type, Completion& c);

/// Fills in the common names that definitions read (hidden_size) from those that configurations have (n_embd, d_model).
/// To be called once defaults are there: a class does not read the spellings of another.
void fill_common_names(Completion& c);

/// Gives keys that are absent the values that the class takes for them; a key that is null says so itself. Nested
/// objects get what they lack. Rotary settings and whether the head is the embedding are for others to fill in.
void fill_class_defaults(const ConfigClass& of_class, Completion& c);

}  // namespace cleave::define
