#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace cleave::load {

/// Which of OpenAI's APIs is used.
enum class Api : uint8_t { Chat, Completions };

/// Numbers from the least to the most, each as probable as another.
struct Range {
  int64_t least = 0, most = 0;
};

/// One request to be made.
struct Job {
  Json fields = Json::object();    // "messages" or "prompt", "max_tokens", and what else the request is to have
  int64_t turn = 1;                // of its conversation, from 1 on
  size_t agent = 0;                // whose it is, where there are any
  std::optional<double> due = {};  // when it was to be sent; absent: as soon as there is room for it
};

/// What all requests of a run have in common.
struct RequestSettings {
  Api api = Api::Chat;
  std::string model = {};
  std::optional<double> temperature = {};
  bool ignore_eos = false;      // answers are as long as they may be
  Json extra = Json::object();  // further fields
};

/// The path of an API: "/v1/chat/completions" or "/v1/completions".
std::string path_of(Api api);

/// A request's body, which asks for a stream with a count of tokens at its end. The job's own fields win over `extra`,
/// and those that make it a stream over both.
std::string body_of(const Job& job, const RequestSettings& settings);

}  // namespace cleave::load
