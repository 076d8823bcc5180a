#include <array>
#include <exception>
#include <utility>

#include "server/api/field.h"
#include "server/live/documents.h"
#include "server/live/prepare.h"
#include "server/live/responses.h"
#include "server/page/page.h"
#include "server/service_impl.h"

namespace cleave::server {
namespace {

constexpr std::string_view kModels = "/models/";

int64_t unix_time() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

http::Handlers Service::Impl::handlers() {
  return {.check = [this](const http::Request& request) -> std::optional<http::Response> {
            const auto failure = guard_.refusal(request);
            if (!failure) return std::nullopt;
            desk_.note_refusal(*failure);
            return response_of(*failure, api::dialect_of(request.path), request_id(request));
          },
          .handle = [this](http::Request request, const http::Reply& reply) { handle(std::move(request), reply); },
          .refuse =
              [this](const http::Request& request, int status, const std::string& problem) {
                const api::Failure failure{.status = status, .message = problem};
                desk_.note_refusal(failure);
                return response_of(failure, api::dialect_of(request.path), request_id(request));
              },
          .failed =
              [this](const char* what) {
                if (events_.problem) events_.problem(what);
              }};
}

void Service::Impl::handle(http::Request request, const http::Reply& reply) {
  const std::string id = request_id(request);
  try {
    if (request.method == "OPTIONS")
      return reply_with(request, reply, {.status = 204, .body = {}, .headers = {{"x-request-id", id}}});
    if (request.method == "GET" || request.method == "HEAD") return get(request, reply, id);
    post(std::move(request), reply, id);
  } catch (...) {
    refuse(request, reply, id, failure_of(std::current_exception(), events_.problem));
  }
}

void Service::Impl::get(const http::Request& request, const http::Reply& reply, const std::string& id) {
  const std::string_view path = without_version(request.path);
  const auto status_document = [&](const std::optional<api::Failure>& failure) {
    if (failure) return refuse(request, reply, id, *failure);
    reply_with(request, reply, response_of({{"status", "ok"}}, id));
  };
  if (path == "/health") return status_document(sickness());
  if (path == "/ready") {
    auto failure = sickness();
    return status_document(failure ? failure : desk_.refusal());
  }
  if (path == "/metrics") {
    const std::string model = desk_.model() != nullptr ? desk_.model()->name : "";
    return reply_with(request, reply,
                      {.content_type = "text/plain; version=0.0.4; charset=utf-8",
                       .body = metrics_.text(state(), model),
                       .headers = {{"x-request-id", id}}});
  }
  if (path == "/status") return reply_with(request, reply, response_of(status(), id));
  if (path == "/status/history") return reply_with(request, reply, response_of(history_.document(), id));
  if (options_.page)
    if (auto file = page::response_to(request)) return reply_with(request, reply, std::move(*file));
  get_of_model(request, reply, id);
}

// What there is to get of a model that is there.
void Service::Impl::get_of_model(const http::Request& request, const http::Reply& reply, const std::string& id) {
  const std::string_view path = without_version(request.path);
  const bool about_one = path.starts_with(kModels);
  constexpr std::array<std::string_view, 3> kDocuments = {"/models", "/tokenizer_info", "/plan"};
  if (!about_one && std::ranges::find(kDocuments, path) == kDocuments.end()) return refuse_unknown(request, reply, id);
  const auto model = desk_.model();
  if (model == nullptr) return refuse(request, reply, id, *desk_.refusal());
  const auto respond = [&](const OrderedJson& document) { reply_with(request, reply, response_of(document, id)); };
  if (about_one) return respond(model_document(*model, std::string(path.substr(kModels.size()))));
  if (path == "/models") return respond(models_document(*model));
  if (path == "/tokenizer_info") return respond(tokenizer_document(*model));
  reply_with(request, reply, {.body = model->plan, .headers = {{"x-request-id", id}}});
}

void Service::Impl::post(http::Request request, const http::Reply& reply, const std::string& id) {
  const Route* route = find_route(without_version(request.path));
  if (route == nullptr || request.method != "POST") return refuse_unknown(request, reply, id);
  if (route->document == nullptr) return exchange(*route, std::move(request), reply, id);
  compute(*route, std::move(request), reply, id);
}

void Service::Impl::refuse_unknown(const http::Request& request, const http::Reply& reply, const std::string& id) {
  const NoRoute wrong = no_route(without_version(request.path));
  refuse(request, reply, id, wrong.failure, wrong.allow);
}

// Parsing, rendering and tokenising are for a worker; whether there is room is asked before and behind them.
void Service::Impl::exchange(const Route& route, http::Request request, const http::Reply& reply,
                             const std::string& id) {
  if (auto failure = desk_.refusal()) return refuse(request, reply, id, *failure);
  const auto model = desk_.model();
  if (const auto failure = wrong_kind(route, *model)) return refuse(request, reply, id, *failure);
  const auto exchange =
      desk_.receive(reply, {.id = id, .method = request.method, .path = request.path, .model = model->name},
                    api::dialect_of(request.path), guard_.cors(request));
  const auto work = [this, exchange, model, &route, body = std::move(request.body)] {
    Admission admit;
    std::exception_ptr exception;
    try {
      admit = read(route, body, *model);
    } catch (...) {
      exception = std::current_exception();
    }
    server_.post([this, exchange, admit = std::move(admit), exception] {
      if (exception != nullptr) return desk_.fail(exchange, failure_of(exception, events_.problem));
      admit(exchange);
    });
  };
  if (!workers_->run(work))
    desk_.fail(exchange,
               {.status = 503, .message = "too many requests at once", .code = "overloaded", .retry_after = 1});
}

// Runs on a worker.
Service::Impl::Admission Service::Impl::read(const Route& route, const std::string& body, const ServedModel& model) {
  if (route.embed != nullptr)
    return
        [this, job = route.embed(api::parse_body(body), model)](const auto& exchange) { desk_.admit(exchange, job); };
  struct Work {
    api::Translation translation;
    Prepared prepared;
  };
  const int64_t now = unix_time();
  const auto work = std::make_shared<Work>();
  work->translation = route.translate(api::parse_body(body), {model.name, now});
  work->prepared = prepare(work->translation.generation, model, now);
  return [this, work](const auto& exchange) {
    desk_.admit(exchange, std::move(work->translation), std::move(work->prepared));
  };
}

void Service::Impl::compute(const Route& route, http::Request request, const http::Reply& reply,
                            const std::string& id) {
  const auto model = desk_.model();
  if (model == nullptr) return refuse(request, reply, id, *desk_.refusal());
  const auto shared = std::make_shared<http::Request>(std::move(request));
  const auto work = [this, shared, reply, id, model, document_of = route.document] {
    const auto document = std::make_shared<OrderedJson>();
    std::exception_ptr exception;
    try {
      *document = document_of(api::parse_body(shared->body), *model, unix_time());
    } catch (...) {
      exception = std::current_exception();
    }
    server_.post([this, shared, reply, id, document, exception] {
      if (exception != nullptr) return refuse(*shared, reply, id, failure_of(exception, events_.problem));
      reply_with(*shared, reply, response_of(*document, id));
    });
  };
  if (!workers_->run(work))
    refuse(*shared, reply, id,
           {.status = 503, .message = "too many requests at once", .code = "overloaded", .retry_after = 1});
}

void Service::Impl::reply_with(const http::Request& request, const http::Reply& reply, http::Response response) {
  for (auto& header : guard_.cors(request)) response.headers.push_back(std::move(header));
  metrics_.add_response(response.status);
  reply.send(std::move(response));
}

void Service::Impl::refuse(const http::Request& request, const http::Reply& reply, const std::string& id,
                           const api::Failure& failure, const std::string& allow) {
  http::Response response = response_of(failure, api::dialect_of(request.path), id);
  if (!allow.empty()) response.headers.emplace_back("Allow", allow);
  metrics_.add_rejection(failure.code.empty() ? "invalid" : failure.code);
  reply_with(request, reply, std::move(response));
}

double Service::Impl::uptime() const {
  return std::chrono::duration<double>(Desk::Clock::now() - start_).count();
}

OrderedJson Service::Impl::status() const {
  const EngineState engine = state();
  const auto sick = sickness();
  const auto problem = sick ? sick : desk_.refusal();
  constexpr std::pair<std::string_view, std::string_view> kStates[] = {
      {"loading", "loading"}, {"shutting_down", "ending"}, {"failed", "failed"}, {"stuck", "stuck"}};
  std::string state = problem ? "busy" : "serving";
  for (const auto& [code, name] : kStates)
    if (problem && problem->code == code) state = name;
  return status_document({.state = state,
                          .problem = problem ? problem->message : "",
                          .uptime = uptime(),
                          .engine = engine,
                          .metrics = metrics_,
                          .exchanges = desk_.exchanges(),
                          .model = desk_.model().get()});
}

}  // namespace cleave::server
