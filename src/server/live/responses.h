#pragma once

#include <exception>
#include <functional>
#include <string>

#include "server/api/failure.h"
#include "server/http/message.h"

namespace cleave::server {

/// The response that tells a client of a failure, in the form of an API. `id` is that of the request.
http::Response response_of(const api::Failure& failure, api::Dialect dialect, const std::string& id);

/// A response that is a JSON document.
http::Response response_of(const OrderedJson& document, const std::string& id);

/// What is told of an exception that handling a request has let out. `problem` hears of one that is no client's
/// mistake.
api::Failure failure_of(const std::exception_ptr& exception, const std::function<void(const std::string&)>& problem);

/// What the client calls its request, where that is short and harmless; otherwise a new id.
std::string request_id(const http::Request& request);

}  // namespace cleave::server
