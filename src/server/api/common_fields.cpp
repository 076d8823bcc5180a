#include "server/api/common_fields.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "server/api/failure.h"

namespace cleave::server::api {
namespace {

constexpr int64_t kMost = INT32_MAX;
constexpr double kMaxTemperature = 2;  // OpenAI's
constexpr double kHuge = 1e6;
constexpr double kTiny = 1e-9;
constexpr int64_t kMaxAnswers = 128;
// Every byte of an answer is compared with all stop texts.
constexpr size_t kMaxStops = 128, kMaxStopBytes = 4 << 10;
constexpr size_t kMaxBadWords = 1024;
constexpr double kMaxSeconds = 1e6;

std::optional<double> first_number(const Field& body, std::initializer_list<const char*> keys, double least,
                                   double most) {
  for (const char* key : keys)
    if (const auto value = body.number(key, least, most)) return value;
  return std::nullopt;
}

// Sampling that nothing here does, and the value at which it changes nothing.
constexpr std::array<std::pair<const char*, double>, 5> kNotDone = {
    {{"typical_p", 1}, {"mirostat", 0}, {"xtc_probability", 0}, {"dry_multiplier", 0}, {"dynatemp_range", 0}}};

void refuse_what_is_not_done(const Field& body) {
  for (const auto& [key, neutral] : kNotDone)
    if (const auto value = body.number(key, -kHuge, kHuge); value && *value != neutral)
      refuse(key, "{}: this server does not do that; leave it out", key);
  if (body.boolean("use_beam_search", false)) refuse("use_beam_search", "use_beam_search: there is no beam search");
}

void read_logit_bias(const Field& bias, std::map<int32_t, double>& biases) {
  bias.require_object();
  for (const auto& [key, value] : bias.json().items()) {
    int32_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0)
      refuse(bias.path(), "{}: wanted ids of tokens as keys", bias.path());
    biases[id] = Field(value, bias.path() + "." + key).number(-100, 100);
  }
}

// The first of several fields that say what an answer must be; two of them contradict each other.
void set_format(Generation& generation, Format::Kind kind, const Field& field) {
  if (generation.format.kind != Format::Kind::Text && kind != Format::Kind::Text)
    refuse(field.path(), "{}: {} asks for another form already", field.path(), generation.format.field);
  generation.format = {kind, field.json(), field.path()};
}

}  // namespace

void read_common(const Field& body, Generation& generation) {
  inference::SamplingOptions& sampling = generation.sampling;
  generation.model = body.string("model").value_or("");
  generation.stream = body.boolean("stream", false);
  sampling.temperature = body.number("temperature", 0, kMaxTemperature);
  if (const auto p = body.number("top_p", 0, 1)) sampling.top_p = std::max(*p, kTiny);
  if (const auto k = body.integer("top_k", -1, kMost)) sampling.top_k = std::max<int64_t>(*k, 0);
  sampling.min_p = body.number("min_p", 0, 1);
  sampling.repeat_penalty = first_number(body, {"repetition_penalty", "repeat_penalty"}, kTiny, kHuge);
  sampling.min_new_tokens = body.integer("min_tokens", 0, kMost);
  generation.stop_token_ids = body.ids("stop_token_ids");
  generation.include_stop = body.boolean("include_stop_str_in_output", false);
  generation.ignore_eos = body.boolean("ignore_eos", false);
  generation.skip_special_tokens = body.boolean("skip_special_tokens", true);
  generation.rules.allowed = body.ids("allowed_token_ids");
  generation.rules.bad_words = body.strings("bad_words");
  if (generation.rules.bad_words.size() > kMaxBadWords)
    refuse("bad_words", "bad_words: {} texts, wanted at most {}", generation.rules.bad_words.size(), kMaxBadWords);
  generation.priority = body.integer("priority", INT32_MIN, kMost).value_or(0);
  generation.cache_salt = body.string("cache_salt").value_or("");
  generation.timeout = body.number("timeout", 0, kMaxSeconds);
  refuse_what_is_not_done(body);
}

void read_openai_sampling(const Field& body, Generation& generation) {
  generation.n = static_cast<int>(body.integer("n", 1, kMaxAnswers).value_or(1));
  generation.best_of = static_cast<int>(body.integer("best_of", 1, kMaxAnswers).value_or(generation.n));
  if (generation.best_of < generation.n)
    refuse("best_of", "best_of: {}, wanted at least n, which is {}", generation.best_of, generation.n);
  if (generation.best_of > generation.n && generation.stream)
    refuse("best_of",
           "best_of: answers that are compared with one another cannot be streamed; wanted {}, or \"stream\": false",
           generation.n);
  if (const auto seed = body.integer("seed", INT64_MIN, INT64_MAX))
    generation.sampling.seed = static_cast<uint64_t>(*seed);
  generation.rules.frequency_penalty = body.number("frequency_penalty", -2, 2).value_or(0);
  generation.rules.presence_penalty = body.number("presence_penalty", -2, 2).value_or(0);
  if (const auto bias = body.find("logit_bias")) read_logit_bias(*bias, generation.rules.logit_bias);
  generation.stop = read_stops(body, "stop");
  read_format(body, generation);
}

std::vector<std::string> read_stops(const Field& body, const char* key) {
  std::vector<std::string> stops = body.strings(key);
  size_t bytes = 0;
  for (const std::string& stop : stops) bytes += stop.size();
  if (stops.size() > kMaxStops || bytes > kMaxStopBytes)
    refuse(key, "{}: {} texts of {} bytes together, wanted at most {} texts of {} bytes", key, stops.size(), bytes,
           kMaxStops, kMaxStopBytes);
  return stops;
}

void read_response_format(const Field& format, Generation& generation) {
  const std::string type = format.at("type").string();
  if (type == "text") return;
  if (type == "json_object") {
    const auto schema = format.find("schema");  // llama.cpp's way
    return set_format(generation, schema ? Format::Kind::JsonSchema : Format::Kind::JsonObject,
                      schema.value_or(format));
  }
  if (type != "json_schema") format.at("type").wrong("text, json_object or json_schema");
  const auto inner = format.find("json_schema");
  set_format(generation, Format::Kind::JsonSchema, inner ? inner->at("schema") : format.at("schema"));
}

void read_format(const Field& body, Generation& generation) {
  using Kind = Format::Kind;
  if (const auto format = body.find("response_format")) read_response_format(*format, generation);
  if (const auto schema = body.find("json_schema")) set_format(generation, Kind::JsonSchema, *schema);
  if (const auto grammar = body.find("grammar")) set_format(generation, Kind::Grammar, *grammar);
  constexpr std::array<std::pair<const char*, Kind>, 4> kOld = {{{"guided_json", Kind::JsonSchema},
                                                                 {"guided_regex", Kind::Regex},
                                                                 {"guided_choice", Kind::Choice},
                                                                 {"guided_grammar", Kind::Grammar}}};
  for (const auto& [key, kind] : kOld)
    if (const auto field = body.find(key)) set_format(generation, kind, *field);
  const auto outputs = body.find("structured_outputs");
  if (!outputs) return;
  constexpr std::array<std::pair<const char*, Kind>, 4> kNew = {
      {{"json", Kind::JsonSchema}, {"regex", Kind::Regex}, {"choice", Kind::Choice}, {"grammar", Kind::Grammar}}};
  for (const auto& [key, kind] : kNew)
    if (const auto field = outputs->find(key)) set_format(generation, kind, *field);
  if (outputs->boolean("json_object", false)) set_format(generation, Kind::JsonObject, *outputs);
}

StreamOptions read_stream_options(const Field& body, bool stream) {
  const auto options = body.find("stream_options");
  if (!options) return {};
  if (!stream) refuse("stream_options", "stream_options: only with \"stream\": true");
  return {options->boolean("include_usage", false), options->boolean("continuous_usage_stats", false)};
}

ReplyHead head_of(const Generation& generation, const Context& context) {
  return {generation.model.empty() ? context.model : generation.model, context.now};
}

}  // namespace cleave::server::api
