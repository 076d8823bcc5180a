#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// What a GGUF file's `tokenizer.ggml.pre` says about a byte-level BPE.
struct GgufPre {
  std::vector<std::string> patterns;  // split the text, one after the other, matches isolated
  bool ignore_merges = false;         // a piece that is a token is that token
  bool add_bos = false;               // where the file has no add_bos_token
};

/// Looks up a `pre` name as llama.cpp's converter writes it (ggml-org/llama.cpp, src/llama-vocab.cpp); "" means
/// "default". Throws Error(Unsupported) for an unknown one; `what` names the file.
GgufPre gguf_pre(std::string_view name, const std::string& what);

}  // namespace cleave::text
