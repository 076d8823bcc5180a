#include "server/api/failure.h"

namespace cleave::server::api {
namespace {

const char* openai_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 408:
      return "timeout_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

const char* anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

OrderedJson or_null(const std::string& text) {
  return text.empty() ? OrderedJson() : OrderedJson(text);
}

}  // namespace

bool is_client_mistake(const Error& error) {
  return error.kind() == ErrorKind::InvalidArgument || error.kind() == ErrorKind::Unsupported;
}

Dialect dialect_of(std::string_view path) {
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  return path == "/messages" || path.starts_with("/messages/") ? Dialect::Anthropic : Dialect::OpenAI;
}

OrderedJson to_json(const Failure& failure, Dialect dialect) {
  OrderedJson error;
  if (dialect == Dialect::Anthropic) {
    error = {{"type", anthropic_type(failure.status)}, {"message", failure.message}};
  } else {
    error = {{"message", failure.message},
             {"type", openai_type(failure.status)},
             {"param", or_null(failure.param)},
             {"code", or_null(failure.code)}};
  }
  error.update(failure.more);
  if (dialect == Dialect::Anthropic) return {{"type", "error"}, {"error", std::move(error)}};
  return {{"error", std::move(error)}};
}

std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace cleave::server::api
