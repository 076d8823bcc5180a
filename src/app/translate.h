#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/flags.h"
#include "inference/group.h"
#include "inference/opened.h"
#include "inference/sampling.h"

namespace cleave::app {

/// What `generate` is told for a model that reads one text and writes another.
struct TranslateFlags {
  inference::SamplingOptions sampling;
  std::optional<int64_t> max_tokens, beams;
  std::optional<std::string> first_token;  // as the vocabulary writes it: the language to write in, for many models
};

/// Prints what the model writes for a text. Gives the exit code. Throws Error.
int translate(const inference::OpenedModel& opened, const ModelFlags& model, const TranslateFlags& flags,
              const std::string& text, inference::Group& group);

}  // namespace cleave::app
