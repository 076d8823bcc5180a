#include "server/live/embeddings.h"

#include <utility>

#include "base/error.h"
#include "server/api/embeddings.h"
#include "server/api/failure.h"
#include "server/live/prepare.h"

namespace cleave::server {
namespace {

[[noreturn]] void refuse_length(const std::string& path, const ServedModel& model) {
  throw api::Refusal({.message = fmt::format("{}: this model reads at most {} tokens of a text, and this one has more; "
                                             "make it shorter, or send \"truncate\": true, which cuts texts",
                                             path, model.context),
                      .param = path,
                      .code = "context_length_exceeded",
                      .more = {{"n_ctx", model.context}}});
}

inference::PreparedText tokens_given(const std::vector<int32_t>& ids, const std::string& path, bool truncate,
                                     const ServedModel& model) {
  for (const int32_t id : ids)
    if (id >= model.vocab_size)
      api::refuse(path, "{}: token {} is outside the model's vocabulary of {}", path, id, model.vocab_size);
  inference::PreparedText text{ids};
  const auto most = static_cast<size_t>(model.context);
  if (ids.size() > most && !truncate) refuse_length(path, model);
  text.ids.resize(std::min(ids.size(), most));
  return text;
}

inference::PreparedText tokens_of(const api::EmbeddingText& given, const std::string& prompt, bool truncate,
                                  const ServedModel& model) {
  if (const auto* ids = std::get_if<std::vector<int32_t>>(&given.text))
    return tokens_given(*ids, given.path, truncate, model);
  inference::PreparedText text = model.embedder->preparation->prepare(prompt, std::get<std::string>(given.text));
  if (text.is_cut && !truncate) refuse_length(given.path, model);
  if (text.ids.empty()) api::refuse(given.path, "{}: the text has no tokens, wanted at least one", given.path);
  return text;
}

// Errors of other modules here are mistakes of the client.
template <class Work>
auto refusing(const std::string& param, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!api::is_client_mistake(error)) throw;
    api::refuse(param, "{}: {}", param, error.what());
  }
}

}  // namespace

EmbeddingLoop::Job prepare_embeddings(const OrderedJson& body, const ServedModel& model) {
  const api::EmbeddingRequest request = api::read_embeddings(body);
  require_model(request.model, model);
  const ServedEmbedder& embedder = *model.embedder;
  if (request.dimensions && *request.dimensions > embedder.width)
    api::refuse("dimensions", "dimensions: saw {}, wanted at most {}, which is all that a vector of this model has",
                *request.dimensions, embedder.width);
  const std::string prompt = refusing("prompt_name", [&] { return embedder.preparation->prompt(request.prompt_name); });
  auto job = std::make_shared<EmbeddingJob>();
  job->base64 = request.base64;
  job->dimensions = request.dimensions;
  for (const api::EmbeddingText& text : request.texts) {
    job->texts.push_back(refusing(text.path, [&] { return tokens_of(text, prompt, request.truncate, model); }));
    job->tokens += static_cast<int64_t>(job->texts.back().ids.size());
  }
  return job;
}

void write_reply(EmbeddingJob& job, const ServedModel& model) {
  std::vector<std::vector<float>> vectors = std::exchange(job.vectors, {});
  for (std::vector<float>& vector : vectors) {
    if (!job.dimensions) break;
    vector.resize(static_cast<size_t>(*job.dimensions));
    if (model.embedder->modules->normalizes()) inference::normalize(vector);  // as those that it was cut from
  }
  job.reply = api::dump(api::embeddings_reply(vectors, job.base64, model.name, job.tokens));
}

}  // namespace cleave::server
