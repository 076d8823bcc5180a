#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ordered_json.h"
#include "inference/sampling.h"

namespace cleave::server::api {

/// Which tools a model may call, or must.
struct ToolChoice {
  enum class Mode : uint8_t { Auto, None, Required, Named } mode = Mode::Auto;
  std::string name = {};  // of the one tool
  bool parallel = true;   // several calls in one answer
};

/// A conversation in the form of the chat completions API, which is that of chat templates. Contents are texts; the
/// arguments of calls are objects.
struct Conversation {
  OrderedJson messages = OrderedJson::array();
  OrderedJson tools = OrderedJson::array();  // [{"type":"function","function":{...}}]
  ToolChoice tool_choice = {};
  OrderedJson documents = OrderedJson::array();
  OrderedJson variables = OrderedJson::object();  // of the template ("enable_thinking")
  bool add_generation_prompt = true;
  bool continue_final_message = false;
  std::string template_name = {};
};

/// A prompt that is no conversation: a text, or the ids of its tokens.
using PlainPrompt = std::variant<std::string, std::vector<int32_t>>;

/// What the text of an answer must be.
struct Format {
  enum class Kind : uint8_t { Text, JsonObject, JsonSchema, Regex, Choice, Grammar } kind = Kind::Text;
  OrderedJson value = {};  // a schema, a list of choices, or the text of a pattern or grammar
  std::string field = {};  // that has asked for it
};

/// Rules of sampling beside those of inference::SamplingOptions.
struct FurtherRules {
  double frequency_penalty = 0, presence_penalty = 0;
  std::map<int32_t, double> logit_bias = {};
  std::vector<int32_t> allowed = {};  // empty: all tokens
  std::vector<std::string> bad_words = {};
};

/// What a request of any API asks of the model. Nothing of it has been compared with the model yet.
struct Generation {
  std::string model = {};  // "": the one that is there
  std::optional<Conversation> conversation = {};
  std::vector<PlainPrompt> prompts = {};  // without a conversation
  bool add_special_tokens = true;         // to prompts that are texts

  int n = 1;        // answers to each prompt
  int best_of = 1;  // of as many
  inference::SamplingOptions sampling = {};
  FurtherRules rules = {};
  Format format = {};
  std::optional<int64_t> max_tokens = {};
  std::vector<std::string> stop = {};
  std::vector<int32_t> stop_token_ids = {};
  bool include_stop = false, ignore_eos = false, skip_special_tokens = true;
  int logprobs = -1;                  // alternatives beside the chosen token; -1: none of it
  bool echo = false;                  // the prompt precedes the answer
  std::optional<bool> thinking = {};  // whether the model is to think first; nothing: as its template has it
  std::optional<int64_t> thinking_budget = {};

  int64_t priority = 0;
  std::string cache_salt = {};
  std::optional<double> timeout = {};  // seconds until the answer must be complete

  bool stream = false;
};

}  // namespace cleave::server::api
