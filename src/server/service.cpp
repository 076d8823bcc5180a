#include "server/service.h"

#include <algorithm>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include "server/live/embeddings.h"
#include "server/service_impl.h"

namespace cleave::server {
namespace {

constexpr std::chrono::milliseconds kTick{100}, kLookAgain{10};
constexpr std::chrono::seconds kLastWords{2};  // for replies to be taken, when all answers are complete

}  // namespace

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

// Why the process is of no use any more. While it loads a model or ends, it is well.
std::optional<api::Failure> Service::Impl::sickness() const {
  if (failure_) return api::Failure{.status = 503, .message = *failure_, .code = "failed"};
  if (!loop_state_) return std::nullopt;
  const double in_step = loop_state_().seconds_in_step;
  if (in_step <= static_cast<double>(options_.step_limit.count())) return std::nullopt;
  return api::Failure{
      .status = 503, .message = fmt::format("the model has computed one step for {:.0f} s", in_step), .code = "stuck"};
}

EngineState Service::Impl::state() const {
  EngineState state = loop_state_ ? loop_state_() : EngineState();
  state.waiting = std::max(state.waiting, desk_.num_answers() - state.running);  // some may be in the inbox yet
  state.connections = server_.num_connections();
  return state;
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
  run(loop, engine, std::make_shared<const ServedModel>(std::move(model)), ready);
}

void Service::Impl::serve(ServedModel model, inference::Embedder& embedder, const std::function<void()>& ready) {
  const auto shared = std::make_shared<const ServedModel>(std::move(model));
  EmbeddingLoop loop([&](const auto& texts, const auto& take) { embedder.embed(texts, take); },
                     [&](const EmbeddingLoop::Job& job) { write_vectors(shared, job); });
  run(loop, loop, shared, ready);
}

// Vectors have many numbers, whose text is for a worker to write; where too many wait for that, the model does.
void Service::Impl::write_vectors(const std::shared_ptr<const ServedModel>& model, const EmbeddingLoop::Job& job) {
  const auto work = [this, model, job] {
    write_reply(*job, *model);
    server_.post([this, job] { desk_.deliver(*job); });
  };
  if (!workers_->run(work)) work();
}

// Serves a model while its loop runs. `source` is what the desk takes answers from.
template <class Loop, class Source>
void Service::Impl::run(Loop& loop, Source& source, std::shared_ptr<const ServedModel> model,
                        const std::function<void()>& ready) {
  on_network([&] {
    loop_state_ = [&loop] { return loop.state(); };
    desk_.open(std::move(model), source);
  });
  if (ready) ready();
  const auto close = [&] {
    on_network([&] {
      loop_state_ = nullptr;
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

void Service::serve(ServedModel model, inference::Embedder& embedder, const std::function<void()>& ready) {
  impl_->serve(std::move(model), embedder, ready);
}

void Service::drain() {
  impl_->drain();
}

void Service::fail(const std::string& what, std::chrono::milliseconds patience) {
  impl_->fail(what, patience);
}

}  // namespace cleave::server
