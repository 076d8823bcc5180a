#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/message.h"
#include "server/http/reply.h"
#include "server/http/request_reader.h"
#include "server/http/transport.h"

namespace cleave::server::http {

/// What a server does with requests. Called on the connections' thread.
struct Handlers {
  /// Looks at a request whose body has not come yet; a response refuses it.
  std::function<std::optional<Response>(const Request&)> check;
  /// Takes a whole request. The reply may be used later.
  std::function<void(Request, Reply)> handle;
  /// What is said of a request that is none or exceeds a limit: `request` is as much of it as is known.
  std::function<Response(const Request& request, int status, const std::string& problem)> refuse;
  /// Hears of an exception that one of the others let out.
  std::function<void(const char* what)> failed;
};

/// One client's connection: reads requests one after another (keep-alive, pipelining, chunked bodies, 100-continue),
/// hands each to the handlers, and writes their replies. While a request is answered it goes on reading, which is how
/// it learns that the client has left. Sockets and clocks are given from outside. Not thread-safe; made by
/// make_shared, kept alive by what the transport has under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  /// Limits and handlers must outlive it.
  Connection(std::unique_ptr<Transport> transport, const Limits& limits, const Handlers& handlers);

  /// Begins to read. Call once.
  void run();
  /// Closes the connection where a time limit has passed. To be called now and then.
  void check_time(Clock::time_point now);
  /// Closes the connection as soon as no request is being answered.
  void close_when_idle();
  /// Closes it at once; whoever answers is told.
  void close();
  bool closed() const { return transport_ == nullptr; }
  bool idle() const { return !answering_ && out_.empty() && writing_.empty(); }

  // What a Reply does.
  bool is_answering(uint64_t serial) const { return answering_ && serial == serial_; }
  void send(Response response);
  void start(int status, Headers headers);
  void write(std::string_view bytes);
  void finish();
  size_t backlog() const { return out_.size() + writing_.size(); }
  void on_gone(std::function<void()> callback) { gone_ = std::move(callback); }
  void on_drained(std::function<void()> callback) { drained_ = std::move(callback); }

 private:
  void read_more();
  void take_input(size_t count);
  void parse();
  bool parse_head();
  void begin_request(Request request);
  void refuse(Response response);
  void end_answer();
  void flush();
  void wrote(bool ok);
  void settle();

  std::unique_ptr<Transport> transport_;  // null: closed
  const Limits& limits_;
  const Handlers& handlers_;
  std::array<char, 16384> buffer_{};
  std::string input_;                      // read and not parsed
  std::unique_ptr<RequestReader> reader_;  // of the next request; null before its first byte
  bool reading_ = false;
  bool input_ended_ = false;

  uint64_t serial_ = 0;     // of the request at hand
  bool answering_ = false;  // it is with the handlers
  bool head_only_ = false, keep_alive_ = true, chunked_ = false;
  int version_ = 11;
  bool lingering_ = false;  // the answer is complete, and what the client still sends is read and thrown away
  bool closing_ = false;    // no further request is taken
  std::function<void()> gone_, drained_;

  std::string out_, writing_;
  Clock::time_point now_{}, read_deadline_ = Clock::time_point::max(), body_deadline_ = Clock::time_point::max(),
                            write_deadline_ = Clock::time_point::max();
};

}  // namespace cleave::server::http
