#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "load/network/target.h"

namespace cleave::load {

/// How a server's certificate is looked at.
struct TlsOptions {
  std::string authorities;  // a file of certificates in PEM form that are trusted; "": those of the system
  bool insecure = false;    // any certificate will do
};

/// One request under way. Closing it more than once is fine.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close() = 0;
};

/// What a connection tells. Neither is called after close(), and nothing after `ended`.
struct ConnectionEvents {
  std::function<void(std::string_view bytes)> received;
  /// `problem` is "" where the server has closed the connection.
  std::function<void(const std::string& problem)> ended;
};

/// A whole response to a question.
struct Response {
  int status = 0;
  std::string content_type, body;
};

/// Connections to one server, and time. All runs on the thread that calls run() or ask(); post() alone is thread-safe.
class Network {
 public:
  /// Resolves the name. Throws Error(Io) where it has no address, InvalidArgument for certificates that cannot be read.
  Network(Target target, const TlsOptions& tls);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  const Target& target() const;

  /// Connects and sends `request`. Connections that are open when the network ends are closed.
  std::shared_ptr<Connection> open(std::string request, ConnectionEvents events);
  /// Calls `work` once, later.
  void after(std::chrono::duration<double> delay, std::function<void()> work);
  /// Has `work` run on the network's thread.
  void post(std::function<void()> work);
  /// Runs all of this until stop().
  void run();
  void stop();

  /// Asks and waits, not for longer than `patience`. REQUIRES: not within run(). Throws Error(Io) that names the server
  /// where there is no answer, Corrupt where it is none or has more than 16 MiB.
  Response ask(std::string_view method, std::string_view path, std::string_view key, std::string_view body,
               std::chrono::seconds patience = std::chrono::seconds(30));

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::load
