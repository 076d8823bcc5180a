#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace cleave::define {

/// Key of a normalised configuration that does not say whether the head is the embedding: what its class takes, for
/// where no checkpoint tells either.
inline constexpr const char* kTiedByDefault = "tied_by_default";

/// A Hugging Face configuration as definitions see it, whichever version of Transformers wrote it. The one place that
/// knows how spellings differ and what may be left out:
/// - text_config of a multimodal model takes its parent's place;
/// - keys that are absent have the values that the model's configuration class in Transformers takes for them, those
///   that it computes from other keys included; a model that no class reads gets none (class_defaults.h,
///   derived_defaults.h);
/// - common sizes are also found under one name (hidden_size, num_hidden_layers, num_attention_heads,
///   num_key_value_heads, head_dim, intermediate_size, max_position_embeddings), which the old names n_embd, d_model,
///   n_layer ... fill in;
/// - rotary settings stand in `rope_parameters` as version 5 writes them (rotary_settings.h);
/// - a sliding_window of 0, or one that use_sliding_window switches off, is absent.
/// `filled` gets a line such as "hidden_act = silu" for everything that has been filled in. Throws Error(Corrupt) where
/// the value is no object or a size is no positive number.
Json normalize_config(const Json& original, std::vector<std::string>* filled = nullptr);

}  // namespace cleave::define
