#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/api/field.h"
#include "server/api/generation.h"
#include "server/api/writer.h"

namespace cleave::server::api {

/// What translating a request takes beside its body.
struct Context {
  std::string model;  // what the model is called where the client does not say
  int64_t now = 0;    // seconds since 1970
  TokenBytes token_bytes = {};
};

/// A request in Cleave's own terms, and how its reply is written.
struct Translation {
  Generation generation;
  std::unique_ptr<Writer> writer;
};

/// Fields that all APIs know: model, stream, temperature, top_p, top_k and other rules of sampling by vLLM's and
/// llama.cpp's names, stop_token_ids, priority, cache_salt, timeout. Throws Refusal.
void read_common(const Field& body, Generation& generation);
/// n, best_of, seed, stop, penalties and what else OpenAI's two APIs have in common.
void read_openai_sampling(const Field& body, Generation& generation);
/// response_format and the ways of llama.cpp and vLLM to say the same.
void read_format(const Field& body, Generation& generation);
/// An object {"type": "text"|"json_object"|"json_schema", ...}: response_format, or text.format of the responses API.
void read_response_format(const Field& format, Generation& generation);
/// The stop texts in a field, within limits.
std::vector<std::string> read_stops(const Field& body, const char* key);

/// stream_options of OpenAI's APIs.
struct StreamOptions {
  bool include_usage = false, continuous_usage = false;
};
StreamOptions read_stream_options(const Field& body, bool stream);

/// The name of the model in a reply.
ReplyHead head_of(const Generation& generation, const Context& context);

}  // namespace cleave::server::api
