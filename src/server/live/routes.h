#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/common_fields.h"
#include "server/live/embedding_loop.h"
#include "server/live/served_model.h"

namespace cleave::server {

/// What is done with a request for a path by POST: answers are asked for, or vectors, or a document.
struct Route {
  std::string_view path;
  api::Translation (*translate)(const OrderedJson& body, const api::Context& context) = nullptr;
  EmbeddingLoop::Job (*embed)(const OrderedJson& body, const ServedModel& model) = nullptr;
  OrderedJson (*document)(const OrderedJson& body, const ServedModel& model, int64_t now) = nullptr;
};

/// Why a model cannot do what a route asks of it: it generates text, or makes vectors, and not both.
std::optional<api::Failure> wrong_kind(const Route& route, const ServedModel& model);

/// A path without the version that paths begin with, /v1, which may be left out.
std::string_view without_version(std::string_view path);

/// The route of a path without its version; null where there is none.
const Route* find_route(std::string_view path);

/// What is said to a request that there is no route for: the path is not known, or takes another method.
struct NoRoute {
  api::Failure failure;
  std::string allow;  // methods that the path takes; "": none
};
NoRoute no_route(std::string_view path);

}  // namespace cleave::server
