#include "server/live/prepare.h"

#include <chrono>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "response/conversation.h"
#include "server/api/failure.h"
#include "server/live/thinking_budget.h"

namespace cleave::server {
namespace {

using api::Refusal;
using api::refuse;

// A client's mistake that other modules found is told as they tell it.
template <class Work>
auto refusing(const char* param, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::InvalidArgument && error.kind() != ErrorKind::NotFound) throw;
    throw Refusal({.message = error.what(), .param = param});
  }
}

// `least`: the count is a lower bound of the prompt's tokens.
void require_room(int64_t count, const ServedModel& model, bool least = false) {
  if (count == 0) refuse("prompt", "the prompt has no tokens, wanted at least one");
  if (count < model.context) return;
  throw Refusal(
      {.message = fmt::format("This model's maximum context length is {} tokens. However, your prompt has {}{} "
                              "tokens, which leaves no room for an answer. Please shorten it.",
                              model.context, least ? "at least " : "", count),
       .param = "messages",
       .code = "context_length_exceeded",
       .more = {{"n_prompt_tokens", count}, {"n_ctx", model.context}}});
}

// A text that would not have room even if all its tokens were the longest ones is refused before it is tokenised.
void require_room_for_text(std::string_view text, const ServedModel& model) {
  if (model.constraints == nullptr) return;
  const auto fewest = static_cast<int64_t>(text.size() / std::max<size_t>(1, model.constraints->longest_token()));
  if (fewest > 0) require_room(fewest, model, true);
}

std::vector<PreparedPrompt> tokenize(const api::Generation& generation, const ServedModel& model, int64_t now) {
  const text::Tokenizer& tokenizer = *model.text.tokenizer;
  std::vector<PreparedPrompt> prompts;
  if (generation.conversation) {
    std::string text = render(*generation.conversation, model, now);
    require_room_for_text(text, model);
    std::vector<int32_t> tokens = refusing("messages", [&] { return tokenizer.encode(text, false); });
    prompts.push_back({std::move(tokens), std::move(text)});
  }
  for (const api::PlainPrompt& prompt : generation.prompts) {
    if (const auto* text = std::get_if<std::string>(&prompt)) {
      require_room_for_text(*text, model);
      prompts.push_back(
          {refusing("prompt", [&] { return tokenizer.encode(*text, generation.add_special_tokens); }), *text});
    } else {
      prompts.push_back({std::get<std::vector<int32_t>>(prompt), ""});
    }
  }
  for (const PreparedPrompt& prompt : prompts) {
    require_room(static_cast<int64_t>(prompt.tokens.size()), model);
    for (const int32_t id : prompt.tokens)
      if (id >= model.vocab_size)
        refuse("prompt", "prompt: token {} is outside the model's vocabulary of {}", id, model.vocab_size);
  }
  return prompts;
}

// Several answers to one prompt are to differ.
inference::SamplingOptions sampling_of(const api::Generation& generation, const ServedModel& model) {
  inference::SamplingOptions options = generation.sampling;
  const auto model_samples = model.settings.find("do_sample");
  const bool greedy = model_samples == model.settings.end() || *model_samples != true;
  if (generation.best_of > 1 && !options.temperature && greedy) options.temperature = 1;
  return options;
}

std::vector<int32_t> end_tokens_of(const api::Generation& generation, const ServedModel& model) {
  std::vector<int32_t> ends = generation.stop_token_ids;
  for (const int32_t id : ends)
    if (id >= model.vocab_size)
      refuse("stop_token_ids", "stop_token_ids: {} is outside the model's vocabulary of {}", id, model.vocab_size);
  if (!generation.ignore_eos) ends.insert(ends.end(), model.text.end_tokens.begin(), model.text.end_tokens.end());
  return ends;
}

// A text is forbidden with and without a space before it, since that makes two tokens of it.
void forbid_words(const api::Generation& generation, const ServedModel& model, engine::SamplingParams& sampling) {
  if (generation.rules.bad_words.empty()) return;
  engine::LogitRules rules = sampling.rules != nullptr ? *sampling.rules : engine::LogitRules();
  for (const std::string& word : generation.rules.bad_words)
    for (const std::string& written : {word, " " + word}) {
      std::vector<int32_t> ids = refusing("bad_words", [&] { return model.text.tokenizer->encode(written, false); });
      if (ids.empty()) refuse("bad_words", "bad_words: {} has no tokens", in_quotes(word));
      rules.bad_words.push_back(std::move(ids));
    }
  sampling.rules = std::make_shared<const engine::LogitRules>(std::move(rules));
}

void apply_further_rules(const api::Generation& generation, const ServedModel& model,
                         engine::SamplingParams& sampling) {
  const api::FurtherRules& rules = generation.rules;
  sampling.frequency_penalty = rules.frequency_penalty;
  sampling.presence_penalty = rules.presence_penalty;
  for (const auto& [id, bias] : rules.logit_bias) sampling.logit_bias.emplace_back(id, static_cast<float>(bias));
  refusing("logit_bias", [&] { engine::check_ids(sampling, model.vocab_size); });
  sampling.allowed = rules.allowed;
  refusing("allowed_token_ids", [&] { engine::check_ids(sampling, model.vocab_size); });
  forbid_words(generation, model, sampling);
}

engine::Request request_for(const api::Generation& generation, const ServedModel& model, const PreparedPrompt& prompt) {
  engine::Request request{.prompt = prompt.tokens,
                          .sampling = inference::sampling_params(sampling_of(generation, model), model.settings),
                          .end_tokens = end_tokens_of(generation, model)};
  apply_further_rules(generation, model, request.sampling);
  const auto asked = generation.max_tokens ? generation.max_tokens : model.default_max_tokens;
  const auto limit = inference::max_new_tokens(asked, model.settings, static_cast<int64_t>(prompt.tokens.size()));
  if (limit) request.max_new_tokens = *limit;
  request.priority = generation.priority;
  request.cache_salt = generation.cache_salt;
  const bool is_chosen = generation.best_of > generation.n;  // by its logarithms of probabilities
  request.logprobs = is_chosen ? std::max(generation.logprobs, 0) : generation.logprobs;
  request.prompt_logprobs = generation.echo && (generation.logprobs >= 0 || request.max_new_tokens == 0);
  if (generation.timeout)
    request.deadline = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                              std::chrono::duration<double>(*generation.timeout));
  return request;
}

// What a parser of answers must know of a conversation's request.
response::ParserSettings parser_settings(const api::Conversation& conversation, const PreparedPrompt& prompt) {
  const bool has_tools = !conversation.tools.empty() && conversation.tool_choice.mode != api::ToolChoice::Mode::None;
  response::ParserSettings settings;
  settings.tools = response::ToolSchemas(has_tools ? api::dump(conversation.tools) : "");
  settings.prompt = prompt.text;
  settings.is_held = prompt.hold.is_held;
  return settings;
}

// What holds one answer.
std::shared_ptr<engine::TokenConstraint> constraint_for(const api::Generation& generation, const ServedModel& model,
                                                        const PreparedPrompt& prompt) {
  std::shared_ptr<engine::TokenConstraint> constraint;
  if (prompt.hold.grammar != nullptr) constraint = constraint_of(prompt.hold.grammar);
  if (!generation.thinking_budget || prompt.hold.format == nullptr || !prompt.hold.format->reasons()) return constraint;
  ThinkingBudget::Settings settings{*generation.thinking_budget, *prompt.hold.format, prompt.parser,
                                    prompt.hold.header};
  return std::make_shared<ThinkingBudget>(std::move(settings), *model.text.tokenizer, std::move(constraint));
}

// The functions and how to call them, for a model whose template does not speak of them.
std::string told_tools(const OrderedJson& tools) {
  std::string text =
      "Answer with a call of one of these functions, as one JSON object {\"name\": its name, \"arguments\": an object "
      "of its arguments}:";
  for (const OrderedJson& tool : tools) {
    text += '\n';
    text += api::dump(tool["function"]);
  }
  return text;
}

// Past calls as text, as answers with plain calls have them.
void write_calls_as_text(OrderedJson& message) {
  if (!message.is_object() || !message.contains("tool_calls") || !message["tool_calls"].is_array()) return;
  std::string text = message["content"].is_string() ? message["content"].get<std::string>() : "";
  for (const OrderedJson& call : message["tool_calls"]) {
    const OrderedJson function = call.is_object() ? call.value("function", OrderedJson()) : OrderedJson();
    if (!function.is_object()) return;
    const OrderedJson given = function.value("arguments", OrderedJson());
    if (!text.empty()) text += '\n';
    text += fmt::format("{{\"name\": {}, \"arguments\": {}}}", api::dump(function.value("name", OrderedJson())),
                        given.is_string() ? given.get<std::string>() : api::dump(given));
  }
  message.erase("tool_calls");
  message["content"] = std::move(text);
}

// The conversation for a template that knows neither tools nor calls; nothing where it shows what it is told.
std::optional<api::Conversation> told_otherwise(const api::Conversation& conversation, const ServedModel& model) {
  using Mode = api::ToolChoice::Mode;
  if (model.format.channels || model.format.calls.kind != response::CallKind::None) return std::nullopt;
  api::Conversation other = conversation;
  for (OrderedJson& message : other.messages) write_calls_as_text(message);
  if (conversation.tool_choice.mode == Mode::Required || conversation.tool_choice.mode == Mode::Named)
    other.messages.insert(other.messages.begin(),
                          OrderedJson{{"role", "system"}, {"content", told_tools(conversation.tools)}});
  return other;
}

std::string render_as_it_is(const api::Conversation& conversation, const ServedModel& model, int64_t now) {
  text::ChatRequest request{
      .messages = api::dump(conversation.messages),
      .tools = conversation.tools.empty() || conversation.tool_choice.mode == api::ToolChoice::Mode::None
                   ? ""
                   : api::dump(conversation.tools),
      .documents = conversation.documents.empty() ? "" : api::dump(conversation.documents),
      .variables = api::dump(conversation.variables),
      .add_generation_prompt = conversation.add_generation_prompt,
      .continue_final_message = conversation.continue_final_message,
      .template_name = conversation.template_name,
      .now = now};
  return refusing("messages",
                  [&] { return response::render_conversation(*model.text.chat, request, model.format.traits); });
}

}  // namespace

void require_model(const std::string& name, const ServedModel& model) {
  if (model.is_called(name)) return;
  throw Refusal({.status = 404,
                 .message = fmt::format("The model {} does not exist; this server has {}", in_quotes(name, '`'),
                                        in_quotes(model.name, '`')),
                 .param = "model",
                 .code = "model_not_found"});
}

std::string render(const api::Conversation& conversation, const ServedModel& model, int64_t now) {
  if (model.embedder) refuse("messages", "this is an embedding model, which has no chat template");
  if (model.text.chat == nullptr) refuse("messages", "this model has no chat template; use /v1/completions");
  const auto other = told_otherwise(conversation, model);
  return render_as_it_is(other ? *other : conversation, model, now);
}

Prepared prepare(const api::Generation& generation, const ServedModel& model, int64_t now) {
  require_model(generation.model, model);
  Prepared prepared{.prompts = tokenize(generation, model, now), .requests = {}};
  for (PreparedPrompt& prompt : prepared.prompts) {
    prompt.hold = hold_answer(generation, model, prompt.text);
    if (generation.conversation) prompt.parser = parser_settings(*generation.conversation, prompt);
    const engine::Request request = refusing("", [&] { return request_for(generation, model, prompt); });
    for (int i = 0; i < generation.best_of; ++i) {
      prepared.requests.push_back(request);
      prepared.requests.back().sampling.index = static_cast<uint64_t>(i);
      prepared.requests.back().constraint = constraint_for(generation, model, prompt);
    }
  }
  return prepared;
}

}  // namespace cleave::server
