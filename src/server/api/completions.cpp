#include "server/api/completions.h"

#include "server/api/completion_writer.h"
#include "server/api/failure.h"

namespace cleave::server::api {
namespace {

constexpr int64_t kDefaultMaxTokens = 16;  // OpenAI's
constexpr int64_t kMaxAlternatives = 100;
constexpr size_t kMaxPrompts = 1024;

PlainPrompt read_prompt(const Field& field) {
  if (field.json().is_string()) return field.string();
  if (!field.json().is_array()) field.wrong("a text or a list of ids of tokens");
  std::vector<int32_t> ids;
  ids.reserve(field.json().size());
  for (const Field& id : field.elements()) ids.push_back(static_cast<int32_t>(id.integer(0, INT32_MAX)));
  if (ids.empty()) field.wrong("at least one token");
  return ids;
}

}  // namespace

std::vector<PlainPrompt> read_prompts(const Field& field) {
  const OrderedJson& json = field.json();
  if (!json.is_array() || (!json.empty() && json.front().is_number())) return {read_prompt(field)};
  const std::vector<Field> elements = field.elements();
  if (elements.empty() || elements.size() > kMaxPrompts)
    refuse(field.path(), "{}: {} prompts, wanted 1 to {}", field.path(), elements.size(), kMaxPrompts);
  std::vector<PlainPrompt> prompts;
  for (const Field& element : elements) prompts.push_back(read_prompt(element));
  return prompts;
}

Translation read_completions(const OrderedJson& json, const Context& context) {
  const Field body(json);
  Generation generation;
  read_common(body, generation);
  read_openai_sampling(body, generation);
  generation.prompts = read_prompts(body.at("prompt"));
  generation.add_special_tokens = body.boolean("add_special_tokens", true);
  generation.echo = body.boolean("echo", false);
  generation.max_tokens = body.integer("max_tokens", generation.echo ? 0 : 1, INT32_MAX).value_or(kDefaultMaxTokens);
  if (const auto logprobs = body.find("logprobs"); logprobs && !logprobs->json().is_boolean())
    generation.logprobs = static_cast<int>(logprobs->integer(0, kMaxAlternatives));
  if (const auto suffix = body.string("suffix"); suffix && !suffix->empty())
    refuse("suffix", "suffix: this server does not fill in the middle of texts");
  const CompletionWriterOptions options{.answers_per_prompt = static_cast<size_t>(generation.n),
                                        .stream = read_stream_options(body, generation.stream),
                                        .logprobs = generation.logprobs >= 0,
                                        .token_ids = body.boolean("return_token_ids", false)};
  auto writer = make_completion_writer(head_of(generation, context), options);
  return {std::move(generation), std::move(writer)};
}

}  // namespace cleave::server::api
