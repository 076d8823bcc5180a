#pragma once

#include "base/json.h"

namespace cleave::define {

/// A Hugging Face configuration as definitions see it, whichever version of Transformers wrote it. The one place that
/// knows how spellings differ:
/// - text_config of a multimodal model takes its parent's place;
/// - common sizes are also found under one name (hidden_size, num_hidden_layers, num_attention_heads,
/// num_key_value_heads,
///   head_dim, intermediate_size, max_position_embeddings), which the old names n_embd, d_model, n_layer ... fill in;
/// - rotary settings stand in `rope_parameters` as version 5 writes them, with rope_type, rope_theta and, where it
/// applies,
///   partial_rotary_factor; nested by layer type where types differ;
/// - a sliding_window of 0, or one that use_sliding_window switches off, is absent.
/// Throws Error(Corrupt) where the value is no object or a size is no positive number.
Json normalize_config(const Json& original);

}  // namespace cleave::define
