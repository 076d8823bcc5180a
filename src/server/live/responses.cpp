#include "server/live/responses.h"

#include <algorithm>
#include <cctype>
#include <new>

#include "base/error.h"
#include "server/api/writer.h"

namespace cleave::server {
namespace {

constexpr size_t kMaxId = 128;

bool is_harmless(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == ':';
}

}  // namespace

http::Response response_of(const api::Failure& failure, api::Dialect dialect, const std::string& id) {
  http::Response response{
      .status = failure.status, .body = api::dump(to_json(failure, dialect)), .headers = {{"x-request-id", id}}};
  if (failure.retry_after > 0) response.headers.emplace_back("Retry-After", fmt::format("{}", failure.retry_after));
  // SDKs would repeat what has taken too long already.
  if (failure.status == 408) response.headers.emplace_back("x-should-retry", "false");
  if (failure.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

http::Response response_of(const OrderedJson& document, const std::string& id) {
  return {.body = api::dump(document), .headers = {{"x-request-id", id}}};
}

api::Failure failure_of(const std::exception_ptr& exception, const std::function<void(const std::string&)>& problem) {
  try {
    std::rethrow_exception(exception);
  } catch (const api::Refusal& refusal) {
    return refusal.failure();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::InvalidArgument) return {.message = error.what()};
    if (problem) problem(error.what());
    return {.status = 500, .message = "an internal error; the server's log says more"};
  } catch (const std::bad_alloc&) {
    return {.status = 503, .message = "the server has too little memory for this request", .code = "out_of_memory"};
  } catch (const std::exception& error) {
    if (problem) problem(error.what());
    return {.status = 500, .message = "an internal error; the server's log says more"};
  }
}

std::string request_id(const http::Request& request) {
  const std::string_view given = request.header("x-request-id");
  if (!given.empty() && given.size() <= kMaxId && std::ranges::all_of(given, is_harmless)) return std::string(given);
  return api::random_id("req_");
}

}  // namespace cleave::server
