#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/http/connection.h"
#include "server/http/message.h"

namespace cleave::server::http {

/// Where a server listens.
struct ListenOptions {
  std::string host = "127.0.0.1";  // a name or an address
  uint16_t port = 0;               // 0: any free one
  std::string unix_socket;         // a path, in place of host and port; the file goes when the server does
  std::string certificate, key;    // files in PEM form, for TLS; "": none
};

/// The network side of a server: one thread accepts connections, reads requests and writes replies.
///
/// Thread-safe are post() and stop() alone; all else belongs to the thread that calls run(), or to the time before it.
class Server {
 public:
  /// Listens at once, so that a port that is taken is found before a model is loaded. Handlers and limits must outlive
  /// the server. Throws Error(Io) where it cannot listen, InvalidArgument for a certificate that cannot be read.
  Server(const ListenOptions& options, const Limits& limits, const Handlers& handlers);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// "http://127.0.0.1:8080", "https://...", or "unix:/run/cleave.sock".
  const std::string& address() const;

  /// Serves until stop(). Handlers, callbacks and what is posted run in it.
  void run();
  /// Has `work` run on the thread of run(), in the order of the calls.
  void post(std::function<void()> work);
  /// Has `work` run there again and again.
  void every(std::chrono::milliseconds interval, std::function<void()> work);
  /// Ends run(); open connections are closed.
  void stop();

  /// Takes no further connections, and closes each that there is once its request is answered.
  void close_listener();
  int64_t num_connections() const;
  /// Of these, the ones with a request that is being answered, or with bytes of a reply on their way.
  int64_t num_busy() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::server::http
