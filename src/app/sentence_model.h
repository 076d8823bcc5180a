#pragma once

#include "app/flags.h"
#include "inference/embedding/sentence_modules.h"

namespace cleave::app {

/// What the files of the model that the flags name say of vectors of texts; a note tells the user where they say
/// nothing. Where they do, the flags' path becomes that of the model among them. Throws Error as
/// read_sentence_modules() does.
inference::SentenceModules read_sentence_model(ModelFlags& flags);

}  // namespace cleave::app
