#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/ordered_json.h"

namespace cleave::server::api {

/// A failure as clients are told of it. Its status is 4xx exactly where the client can mend it: SDKs repeat requests
/// that end with 5xx.
struct Failure {
  int status = 400;
  std::string message = {};
  std::string param = {};                    // the field that is wrong: "messages[0].role"
  std::string code = {};                     // for programs: "context_length_exceeded"
  OrderedJson more = OrderedJson::object();  // further members of the error
  int retry_after = 0;                       // seconds; 0: not said
};

/// A request that is refused.
class Refusal : public std::runtime_error {
 public:
  explicit Refusal(Failure failure) : std::runtime_error(failure.message), failure_(std::move(failure)) {}
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

/// Throws Refusal with status 400.
template <class... Args>
[[noreturn]] void refuse(std::string param, fmt::format_string<Args...> format, Args&&... args) {
  throw Refusal({.message = fmt::format(format, std::forward<Args>(args)...), .param = std::move(param)});
}

/// Whether an error of another module is a mistake of the client whose request led to it.
bool is_client_mistake(const Error& error);

/// The APIs, each with its own form of errors.
enum class Dialect : uint8_t { OpenAI, Anthropic };
/// That of a path: Anthropic's for /v1/messages and what is below.
Dialect dialect_of(std::string_view path);

/// {"error":{"message","type","param","code"}} (https://platform.openai.com/docs/guides/error-codes), or
/// {"type":"error","error":{"type","message"}} (https://docs.anthropic.com/en/api/errors).
OrderedJson to_json(const Failure& failure, Dialect dialect);

/// JSON as text, with U+FFFD for what is no UTF-8.
std::string dump(const OrderedJson& json);

}  // namespace cleave::server::api
