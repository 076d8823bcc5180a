#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// The meaning of a GGUF file's `tokenizer.ggml.pre`: how a text is prepared for a byte-level BPE.
struct GgufPre {
  std::vector<std::string> patterns;  // split the text, one after the other; each match is a piece
  bool ignore_merges = false;         // a piece that is a token becomes that token, whatever the merges say
  bool add_bos = false;               // a text begins with bos if the file has no add_bos_token
};

/// The meaning of a `pre` name of llama.cpp's converter (ggml-org/llama.cpp, src/llama-vocab.cpp); "" means "default".
/// Throws Error(Unsupported) for an unknown name, because a guess would give wrong ids in silence. `what` names the
/// file in errors.
GgufPre gguf_pre(std::string_view name, const std::string& what);

}  // namespace cleave::text
