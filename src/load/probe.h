#pragma once

#include <optional>
#include <string>

#include "load/network/network.h"
#include "load/workload/made_up_text.h"

namespace cleave::load {

/// The model that a server names first at /v1/models. Throws Error that says what to do where there is no such server.
std::string first_model(Network& network, const std::string& key);

/// How many tokens a word of made-up text is, as the server's own /tokenize has it (vLLM's, llama.cpp's or Cleave's);
/// nothing where there is none.
std::optional<double> tokens_per_word(Network& network, const std::string& key, const std::string& model,
                                      const MadeUpText& text);

}  // namespace cleave::load
