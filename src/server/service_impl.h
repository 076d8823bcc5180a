#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "inference/embedding/embedder.h"
#include "server/http/server.h"
#include "server/live/desk.h"
#include "server/live/embedding_loop.h"
#include "server/live/engine_loop.h"
#include "server/live/guard.h"
#include "server/live/routes.h"
#include "server/live/status.h"
#include "server/live/workers.h"
#include "server/service.h"

namespace cleave::server {

/// The parts of a service, which run on its network's thread but for what says otherwise. service.cpp has its life,
/// service_requests.cpp what it does with requests.
class Service::Impl {
 public:
  Impl(const ServiceOptions& options, ServiceEvents events);
  ~Impl();

  void serve(ServedModel model, engine::Engine& engine, const std::function<void()>& ready);
  void serve(ServedModel model, inference::Embedder& embedder, const std::function<void()>& ready);
  void drain();
  void fail(const std::string& what, std::chrono::milliseconds patience);
  const std::string& address() const { return server_.address(); }

 private:
  // What a request that has been read does once it is the desk's turn.
  using Admission = std::function<void(const std::shared_ptr<Exchange>&)>;

  http::Handlers handlers();
  void handle(http::Request request, const http::Reply& reply);
  void get(const http::Request& request, const http::Reply& reply, const std::string& id);
  void get_of_model(const http::Request& request, const http::Reply& reply, const std::string& id);
  void post(http::Request request, const http::Reply& reply, const std::string& id);
  void exchange(const Route& route, http::Request request, const http::Reply& reply, const std::string& id);
  Admission read(const Route& route, const std::string& body, const ServedModel& model);
  void compute(const Route& route, http::Request request, const http::Reply& reply, const std::string& id);
  void reply_with(const http::Request& request, const http::Reply& reply, http::Response response);
  void refuse(const http::Request& request, const http::Reply& reply, const std::string& id,
              const api::Failure& failure, const std::string& allow = {});
  void refuse_unknown(const http::Request& request, const http::Reply& reply, const std::string& id);
  std::optional<api::Failure> sickness() const;
  EngineState state() const;
  OrderedJson status() const;
  double uptime() const;
  void write_vectors(const std::shared_ptr<const ServedModel>& model, const EmbeddingLoop::Job& job);
  template <class Loop, class Source>
  void run(Loop& loop, Source& source, std::shared_ptr<const ServedModel> model, const std::function<void()>& ready);
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
  std::function<EngineState()> loop_state_ = {};  // none where no model is served
  std::optional<std::string> failure_;
  Desk::Clock::time_point drain_end_ = Desk::Clock::time_point::max(), last_answer_ = Desk::Clock::time_point::max();

  std::stop_source stop_;
  const http::Handlers handlers_;
  http::Server server_;
  std::unique_ptr<Workers> workers_;
  std::thread network_;
};

}  // namespace cleave::server
