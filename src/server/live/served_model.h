#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "inference/chat.h"
#include "response/response_format.h"
#include "runtime/rank_loader.h"
#include "server/live/constraints.h"
#include "server/live/served_embedder.h"

namespace cleave::server {

/// What requests need of the model that is served. Immutable once it is made, and so for any thread.
struct ServedModel {
  std::string name;                  // what it is called in replies
  std::vector<std::string> aliases;  // other names that requests may use
  bool any_name = false;             // requests may use any name
  inference::ModelText text;
  response::ResponseFormat format = {};        // of answers in conversations
  response::ResponseFormat plain_format = {};  // of those that must call, where `format` has no calls that can be held
  std::shared_ptr<Constraints> constraints = {};
  Json settings = Json::object();  // generation_config.json, or {} where its settings are not to count
  int64_t context = 0;             // tokens of prompt and answer together, at most; of a text, where it makes vectors
  int64_t vocab_size = 0;
  int64_t created = 0;                             // seconds since 1970
  std::optional<int64_t> default_max_tokens = {};  // of an answer, where a request does not say
  std::optional<ServedEmbedder> embedder = {};     // of a model that makes vectors of texts, and writes none
  std::string architecture = {};
  std::vector<runtime::RankReport> ranks = {};  // where they are and what they hold
  std::string plan = "{}";                      // how it is split, as `cleave plan --json` has it

  /// Whether a request may call it so. "" is the one that is there.
  bool is_called(const std::string& asked) const;
};

}  // namespace cleave::server
