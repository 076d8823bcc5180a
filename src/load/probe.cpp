#include "load/probe.h"

#include "base/error.h"
#include "base/json.h"
#include "base/untrusted_text.h"
#include "load/exchange.h"

namespace cleave::load {
namespace {

constexpr int kOk = 200, kUnauthorized = 401, kForbidden = 403;
constexpr int64_t kWords = 1000;
constexpr std::string_view kModels = "/v1/models";

Response ask_for_models(Network& network, const std::string& key) {
  try {
    return network.ask("GET", kModels, key, "");
  } catch (const Error& error) {
    fail(error.kind(), "{}; wanted a server with OpenAI's API", error.what());
  }
}

}  // namespace

std::string first_model(Network& network, const std::string& key) {
  const Response response = ask_for_models(network, key);
  const std::string where = network.target().authority() + network.target().base + std::string(kModels);
  if (response.status == kUnauthorized || response.status == kForbidden)
    fail(ErrorKind::InvalidArgument, "{} answers {}: {}; {}", where, response.status, error_in(response.body),
         key.empty() ? "give a key with --api-key-file or OPENAI_API_KEY" : "the key is not one of its own");
  if (response.content_type.starts_with("text/html"))
    fail(ErrorKind::InvalidArgument, "{} answers {} with a web page; wanted the address of a server with OpenAI's API",
         where, response.status);
  if (response.status != kOk)
    fail(ErrorKind::InvalidArgument,
         "{} answers {}: {}; wanted the address of a server with OpenAI's API, or --model NAME", where, response.status,
         error_in(response.body));
  const Json json = parse_json(response.body, where);
  const Json::json_pointer pointer("/data/0/id");
  if (!json.is_object() || !json.contains(pointer) || !json[pointer].is_string())
    fail(ErrorKind::Corrupt, "{} names no model; give one with --model", where);
  return json[pointer];
}

std::optional<double> tokens_per_word(Network& network, const std::string& key, const std::string& model,
                                      const MadeUpText& text) {
  const std::string words = text.of_words(kWords, 0);
  const Json body = {{"model", model}, {"prompt", words}, {"content", words}};
  try {
    const Response response = network.ask("POST", "/tokenize", key, body.dump());
    if (response.status != kOk) return std::nullopt;
    const Json json = parse_json(response.body, "/tokenize");
    if (!json.is_object() || !json.contains("tokens") || !json["tokens"].is_array() || json["tokens"].empty())
      return std::nullopt;
    return static_cast<double>(json["tokens"].size()) / kWords;
  } catch (const Error&) {  // a server without it may close the connection
    return std::nullopt;
  }
}

}  // namespace cleave::load
