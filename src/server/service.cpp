#include "server/service.h"

#include <algorithm>
#include <array>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include "server/api/field.h"
#include "server/live/desk.h"
#include "server/live/documents.h"
#include "server/live/engine_loop.h"
#include "server/live/responses.h"
#include "server/live/routes.h"
#include "server/live/status.h"
#include "server/live/workers.h"
#include "server/page/page.h"

namespace cleave::server {
namespace {

constexpr std::chrono::milliseconds kTick{100}, kLookAgain{10};
constexpr std::chrono::seconds kLastWords{2};  // for replies to be taken, when all answers are complete

constexpr std::string_view kModels = "/models/";

int64_t unix_time() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

class Service::Impl {
 public:
  Impl(const ServiceOptions& options, ServiceEvents events);
  ~Impl();

  void serve(ServedModel model, engine::Engine& engine, const std::function<void()>& ready);
  void drain();
  void fail(const std::string& what, std::chrono::milliseconds patience);
  const std::string& address() const { return server_.address(); }

 private:
  http::Handlers handlers();
  void handle(http::Request request, const http::Reply& reply);
  void get(const http::Request& request, const http::Reply& reply, const std::string& id);
  void get_of_model(const http::Request& request, const http::Reply& reply, const std::string& id);
  void post(http::Request request, const http::Reply& reply, const std::string& id);
  void generate(const Route& route, http::Request request, const http::Reply& reply, const std::string& id);
  void compute(const Route& route, http::Request request, const http::Reply& reply, const std::string& id);
  void reply_with(const http::Request& request, const http::Reply& reply, http::Response response);
  void refuse(const http::Request& request, const http::Reply& reply, const std::string& id,
              const api::Failure& failure, const std::string& allow = {});
  void refuse_unknown(const http::Request& request, const http::Reply& reply, const std::string& id);
  std::optional<api::Failure> sickness() const;
  EngineState state() const;
  OrderedJson status() const;
  double uptime() const;
  void tick();
  void announce_failure(const std::string& what);
  void on_network(std::function<void()> work);

  const ServiceOptions options_;
  const ServiceEvents events_;
  const Guard guard_;
  // Of the network's thread.
  Metrics metrics_;
  History history_;
  Desk desk_;
  const Desk::Clock::time_point start_ = Desk::Clock::now();
  const EngineLoop* loop_ = nullptr;
  std::optional<std::string> failure_;
  Desk::Clock::time_point drain_end_ = Desk::Clock::time_point::max(), last_answer_ = Desk::Clock::time_point::max();

  std::stop_source stop_;
  const http::Handlers handlers_;
  http::Server server_;
  std::unique_ptr<Workers> workers_;
  std::thread network_;
};

Service::Impl::Impl(const ServiceOptions& options, ServiceEvents events)
    : options_(options),
      events_(std::move(events)),
      guard_(options.guard),
      desk_({options.max_queue, options.max_wait, options.ping}, metrics_,
            [this](const ExchangeRecord& record) {
              if (events_.exchange) events_.exchange(record);
            }),
      handlers_(handlers()),
      server_(options_.listen, options_.limits, handlers_),
      workers_(std::make_unique<Workers>(options.workers, static_cast<size_t>(options.max_queue))) {
  server_.every(kTick, [this] { tick(); });
  network_ = std::thread([this] { server_.run(); });
}

Service::Impl::~Impl() {
  workers_.reset();  // they post to the server
  server_.stop();
  network_.join();
}

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
  if (route->translate != nullptr) return generate(*route, std::move(request), reply, id);
  compute(*route, std::move(request), reply, id);
}

void Service::Impl::refuse_unknown(const http::Request& request, const http::Reply& reply, const std::string& id) {
  const NoRoute wrong = no_route(without_version(request.path));
  refuse(request, reply, id, wrong.failure, wrong.allow);
}

// Parsing, rendering and tokenising are for a worker; whether there is room is asked before and behind them.
void Service::Impl::generate(const Route& route, http::Request request, const http::Reply& reply,
                             const std::string& id) {
  if (auto failure = desk_.refusal()) return refuse(request, reply, id, *failure);
  const auto model = desk_.model();
  const auto exchange =
      desk_.receive(reply, {.id = id, .method = request.method, .path = request.path, .model = model->name},
                    api::dialect_of(request.path));
  struct Outcome {
    api::Translation translation;
    Prepared prepared;
    std::exception_ptr exception;
  };
  const auto work = [this, exchange, model, translate = route.translate, body = std::move(request.body)] {
    const auto outcome = std::make_shared<Outcome>();
    try {
      const int64_t now = unix_time();
      const api::Context context{model->name, now};
      outcome->translation = translate(api::parse_body(body), context);
      outcome->prepared = prepare(outcome->translation.generation, *model, now);
    } catch (...) {
      outcome->exception = std::current_exception();
    }
    server_.post([this, exchange, outcome] {
      if (outcome->exception != nullptr)
        desk_.fail(exchange, failure_of(outcome->exception, events_.problem));
      else
        desk_.admit(exchange, std::move(outcome->translation), std::move(outcome->prepared));
    });
  };
  if (!workers_->run(work))
    desk_.fail(exchange,
               {.status = 503, .message = "too many requests at once", .code = "overloaded", .retry_after = 1});
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

// Why the process is of no use any more. While it loads a model or ends, it is well.
std::optional<api::Failure> Service::Impl::sickness() const {
  if (failure_) return api::Failure{.status = 503, .message = *failure_, .code = "failed"};
  if (loop_ == nullptr) return std::nullopt;
  const double in_step = loop_->state().seconds_in_step;
  if (in_step <= static_cast<double>(options_.step_limit.count())) return std::nullopt;
  return api::Failure{
      .status = 503, .message = fmt::format("the model has computed one step for {:.0f} s", in_step), .code = "stuck"};
}

EngineState Service::Impl::state() const {
  EngineState state = loop_ != nullptr ? loop_->state() : EngineState();
  state.waiting = std::max(state.waiting, desk_.num_answers() - state.running);  // some may be in the inbox yet
  state.connections = server_.num_connections();
  return state;
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

void Service::Impl::tick() {
  const auto now = Desk::Clock::now();
  desk_.tick(now);
  history_.add(uptime(), state());
  if (!desk_.draining()) return;
  if (now > drain_end_)
    desk_.fail_all({.status = 503, .message = "the server is shutting down", .code = "shutting_down"});
  if (desk_.num_exchanges() > 0) return;
  if (last_answer_ == Desk::Clock::time_point::max()) last_answer_ = now;
  if (server_.num_busy() == 0 || now > last_answer_ + kLastWords) stop_.request_stop();
}

// Runs work on the network's thread, and waits for it.
void Service::Impl::on_network(std::function<void()> work) {
  std::promise<void> done;
  server_.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

void Service::Impl::serve(ServedModel model, engine::Engine& engine, const std::function<void()>& ready) {
  EngineLoop loop(engine, [this](EngineLoop::Batch batch) {
    server_.post([this, batch = std::move(batch)] { desk_.deliver(batch); });
  });
  const auto shared = std::make_shared<const ServedModel>(std::move(model));
  on_network([&] {
    loop_ = &loop;
    desk_.open(shared, engine);
  });
  if (ready) ready();
  const auto close = [&] {
    on_network([&] {
      loop_ = nullptr;
      desk_.close();
    });
  };
  try {
    loop.run(stop_.get_token());
  } catch (const std::exception& error) {
    fail(error.what(), kLastWords);
    close();
    throw;
  }
  close();
}

void Service::Impl::drain() {
  server_.post([this] {
    if (desk_.draining()) return;
    desk_.drain();
    drain_end_ = Desk::Clock::now() + options_.drain;
    server_.close_listener();
  });
}

// What is written last must reach its clients before the process ends; nothing of it may hold the process up.
void Service::Impl::fail(const std::string& what, std::chrono::milliseconds patience) {
  const auto end = Desk::Clock::now() + patience;
  bool told = false;
  while (Desk::Clock::now() < end) {
    const auto quiet = std::make_shared<std::promise<bool>>();
    std::future<bool> is_quiet = quiet->get_future();
    server_.post([this, what, quiet, first = !std::exchange(told, true)] {
      if (first) announce_failure(what);
      quiet->set_value(server_.num_busy() == 0);
    });
    if (is_quiet.wait_until(end) != std::future_status::ready || is_quiet.get()) return;
    std::this_thread::sleep_for(kLookAgain);
  }
}

void Service::Impl::announce_failure(const std::string& what) {
  failure_ = what;
  desk_.drain();
  desk_.fail_all({.status = 500, .message = "the server has failed: " + what, .code = "failed"});
}

Service::Service(const ServiceOptions& options, ServiceEvents events)
    : impl_(std::make_unique<Impl>(options, std::move(events))) {}
Service::~Service() = default;

const std::string& Service::address() const {
  return impl_->address();
}

void Service::serve(ServedModel model, engine::Engine& engine, const std::function<void()>& ready) {
  impl_->serve(std::move(model), engine, ready);
}

void Service::drain() {
  impl_->drain();
}

void Service::fail(const std::string& what, std::chrono::milliseconds patience) {
  impl_->fail(what, patience);
}

}  // namespace cleave::server
