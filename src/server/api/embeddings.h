#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ordered_json.h"

namespace cleave::server::api {

/// A text of which a vector is wanted, or its tokens.
struct EmbeddingText {
  std::variant<std::string, std::vector<int32_t>> text;
  std::string path;  // where it stands in the request
};

/// A request for vectors of texts (https://platform.openai.com/docs/api-reference/embeddings).
struct EmbeddingRequest {
  std::string model = {};
  std::vector<EmbeddingText> texts = {};
  bool base64 = false;                          // vectors are bytes of f32, lowest byte first, in base64
  std::optional<int64_t> dimensions = {};       // the first numbers of each vector
  bool truncate = false;                        // texts that are too long are cut
  std::optional<std::string> prompt_name = {};  // of the model's prompt that precedes texts
};

/// Throws Refusal for what is no such request.
EmbeddingRequest read_embeddings(const OrderedJson& body);

/// The reply: vectors in the order of the texts, and how many tokens these had together.
OrderedJson embeddings_reply(const std::vector<std::vector<float>>& vectors, bool base64, const std::string& model,
                             int64_t tokens);

}  // namespace cleave::server::api
