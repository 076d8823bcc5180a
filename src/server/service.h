#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "inference/embedding/embedder.h"
#include "server/http/server.h"
#include "server/live/exchange.h"
#include "server/live/guard.h"
#include "server/live/served_model.h"

namespace cleave::server {

/// How a server serves.
struct ServiceOptions {
  http::ListenOptions listen = {};
  http::Limits limits = {};
  GuardOptions guard = {};
  int64_t max_queue = 256;               // answers that are computed or wait, at a time
  std::chrono::seconds max_wait{300};    // a request that would wait longer for its first token is refused
  std::chrono::seconds ping{10};         // a stream that is silent for so long gets a sign of life
  std::chrono::seconds step_limit{120};  // a longer step is taken for a model that hangs
  std::chrono::seconds drain{30};        // for answers that are under way when the server is told to end
  bool page = true;                      // show the web page at /
  int workers = 2;                       // threads that parse, render and tokenise requests
};

/// Whom a service tells what happens. Called on its network thread.
struct ServiceEvents {
  std::function<void(const ExchangeRecord&)> exchange = {};  // a request is over
  std::function<void(const std::string&)> problem = {};      // what should not happen has happened
};

/// An HTTP server for one model. It listens and answers from its own thread as soon as it is made; until there is a
/// model, requests for answers are refused as too early.
///
/// Thread-safe are drain() and fail(); serve() is called once, by the thread that the engine belongs to.
class Service {
 public:
  /// Throws as http::Server does.
  Service(const ServiceOptions& options, ServiceEvents events);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  /// Where it listens: "http://127.0.0.1:8080".
  const std::string& address() const;

  /// Runs the engine for requests that come, until drain() has been called and all answers are complete. The engine
  /// must be that of the model. `ready` is called once requests are taken. Throws what the engine throws; all clients
  /// have been told by then.
  void serve(ServedModel model, engine::Engine& engine, const std::function<void()>& ready = {});

  /// The same for a model that makes vectors of texts.
  void serve(ServedModel model, inference::Embedder& embedder, const std::function<void()>& ready = {});

  /// Takes no more requests. Answers under way go on until ServiceOptions::drain has passed.
  void drain();
  /// Tells all clients of a failure that ends the process, and waits until they have been told, at most for `patience`.
  void fail(const std::string& what, std::chrono::milliseconds patience);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::server
