#include "server/live/routes.h"

#include <algorithm>
#include <array>

#include "server/api/chat.h"
#include "server/api/completions.h"
#include "server/api/messages.h"
#include "server/api/responses.h"
#include "server/live/documents.h"
#include "server/live/embeddings.h"

namespace cleave::server {
namespace {

constexpr std::array<Route, 9> kPostRoutes = {{{"/chat/completions", api::read_chat},
                                               {"/completions", api::read_completions},
                                               {"/messages", api::read_messages},
                                               {"/responses", api::read_responses},
                                               {"/embeddings", nullptr, prepare_embeddings},
                                               {"/messages/count_tokens", nullptr, nullptr, count_tokens_document},
                                               {"/tokenize", nullptr, nullptr, tokenize_document},
                                               {"/detokenize", nullptr, nullptr, detokenize_document},
                                               {"/apply-template", nullptr, nullptr, template_document}}};
constexpr std::array<std::string_view, 8> kGetRoutes = {"/health",         "/ready",  "/metrics",        "/models",
                                                        "/tokenizer_info", "/status", "/status/history", "/plan"};
constexpr std::array<std::string_view, 3> kRanking = {"/rerank", "/score", "/pooling"};

}  // namespace

std::string_view without_version(std::string_view path) {
  return path.starts_with("/v1/") ? path.substr(3) : path;
}

const Route* find_route(std::string_view path) {
  const auto* const found = std::ranges::find(kPostRoutes, path, &Route::path);
  return found == kPostRoutes.end() ? nullptr : found;
}

std::optional<api::Failure> wrong_kind(const Route& route, const ServedModel& model) {
  if (model.embedder && route.translate != nullptr)
    return api::Failure{.message = fmt::format("{} is an embedding model: it makes vectors of texts, which "
                                               "/v1/embeddings gives, and writes none",
                                               model.name),
                        .code = "unsupported"};
  if (!model.embedder && route.embed != nullptr)
    return api::Failure{
        .message = fmt::format("{} generates text and gives no embeddings; serve an embedding model", model.name),
        .code = "unsupported"};
  return std::nullopt;
}

NoRoute no_route(std::string_view path) {
  const auto other_method = [&](const char* method) -> NoRoute {
    return {{.status = 405, .message = fmt::format("this path takes {} alone", method)}, method};
  };
  if (find_route(path) != nullptr) return other_method("POST");
  if (std::ranges::find(kGetRoutes, path) != kGetRoutes.end() || path.starts_with("/models/"))
    return other_method("GET, HEAD");
  if (std::ranges::find(kRanking, path) != kRanking.end())
    return {{.message = "this server ranks nothing and gives no states of tokens", .code = "unsupported"}, ""};
  return {{.status = 404, .message = "there is nothing at this path", .code = "unknown_path"}, ""};
}

}  // namespace cleave::server
