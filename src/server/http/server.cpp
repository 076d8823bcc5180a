#include "server/http/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "server/http/sockets.h"

namespace cleave::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kTimeChecks{250};
// What waits in the system for a slow client; without a bound it would be megabytes for each.
constexpr int kSendBuffer = 64 << 10;
constexpr size_t kMaxSocketPath = 108;  // sockaddr_un
constexpr std::chrono::milliseconds kPauseWithoutFiles{100};

tcp::endpoint resolve(asio::io_context& io, const std::string& host, uint16_t port) {
  ErrorCode error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, fmt::format("{}", port), tcp::resolver::passive, error);
  if (error || found.empty()) fail(ErrorKind::Io, "cannot listen on {}: {}", host, error.message());
  return found.begin()->endpoint();
}

template <class Acceptor, class Endpoint>
void listen(Acceptor& acceptor, const Endpoint& endpoint, const std::string& what) {
  ErrorCode error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) fail(ErrorKind::Io, "cannot listen on {}: {}", what, error.message());
}

std::string shown(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

// A socket whose server has ended without a word is in the way of the next one; one that is being served stays.
void remove_stale_socket(asio::io_context& io, const std::string& path) {
  Local::socket probe(io);
  ErrorCode error;
  probe.connect(Local::endpoint(path), error);
  if (error == asio::error::connection_refused) ::unlink(path.c_str());
}

}  // namespace

struct Server::Impl {
  Impl(const ListenOptions& listen_options, const Limits& all_limits, const Handlers& all_handlers)
      : options(listen_options), limits(all_limits), handlers(all_handlers) {}

  void accept_tcp() {
    tcp_acceptor->async_accept([this](ErrorCode error, tcp::socket socket) {
      if (!tcp_acceptor->is_open()) return;
      ErrorCode ignored;
      if (!error) socket.set_option(tcp::no_delay(true), ignored);
      if (!error) socket.set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
      took(
          error, [&] { return StreamSocket(std::move(socket)); }, [this] { accept_tcp(); });
    });
  }

  void accept_local() {
    local_acceptor->async_accept([this](ErrorCode error, Local::socket socket) {
      if (!local_acceptor->is_open()) return;
      took(
          error, [&] { return StreamSocket(std::move(socket)); }, [this] { accept_local(); });
    });
  }

  // Goes on accepting; where the process has no file left, a little later, since the same error would come at once.
  template <class Socket, class Again>
  void took(ErrorCode error, const Socket& socket, Again again) {
    if (!error && connections.size() < limits.connections) add(socket());
    if (!error) return again();
    pause.expires_after(kPauseWithoutFiles);
    pause.async_wait([again](ErrorCode stopped) {
      if (!stopped) again();
    });
  }

  void add(StreamSocket socket) {
    auto transport = tls != nullptr ? tls_transport(std::move(socket), *tls) : plain_transport(std::move(socket));
    const auto connection = std::make_shared<Connection>(std::move(transport), limits, handlers);
    connections.insert(connection);
    connection->run();
  }

  void check_connections() {
    const auto now = Connection::Clock::now();
    for (const auto& connection : connections) connection->check_time(now);
    std::erase_if(connections, [](const auto& connection) { return connection->closed(); });
  }

  void repeat(size_t index) {
    Repeated& repeated = *std::next(repetitions.begin(), static_cast<std::ptrdiff_t>(index));
    repeated.timer.expires_after(repeated.interval);
    repeated.timer.async_wait([this, index, &repeated](ErrorCode error) {
      if (error) return;
      repeated.work();
      repeat(index);
    });
  }

  struct Repeated {
    asio::steady_timer timer;
    std::chrono::milliseconds interval;
    std::function<void()> work;
  };

  const ListenOptions options;
  std::string address;
  const Limits& limits;
  const Handlers& handlers;
  std::unique_ptr<asio::ssl::context> tls;  // outlives the connections, which the context below may hold
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::optional<tcp::acceptor> tcp_acceptor;
  std::optional<Local::acceptor> local_acceptor;
  asio::steady_timer pause{io};
  std::list<Repeated> repetitions;
  std::unordered_set<std::shared_ptr<Connection>> connections;
};

Server::Server(const ListenOptions& options, const Limits& limits, const Handlers& handlers)
    : impl_(std::make_unique<Impl>(options, limits, handlers)) {
  if (!options.certificate.empty()) impl_->tls = tls_context(options.certificate, options.key);
  if (!options.unix_socket.empty()) {
    if (options.unix_socket.size() >= kMaxSocketPath)
      fail(ErrorKind::InvalidArgument, "a socket's path of {} bytes, wanted fewer than {}", options.unix_socket.size(),
           kMaxSocketPath);
    remove_stale_socket(impl_->io, options.unix_socket);
    listen(impl_->local_acceptor.emplace(impl_->io), Local::endpoint(options.unix_socket), options.unix_socket);
    impl_->address = "unix:" + options.unix_socket;
    impl_->accept_local();
  } else {
    const tcp::endpoint endpoint = resolve(impl_->io, options.host, options.port);
    listen(impl_->tcp_acceptor.emplace(impl_->io), endpoint, shown(endpoint));
    impl_->address =
        fmt::format("{}://{}", impl_->tls != nullptr ? "https" : "http", shown(impl_->tcp_acceptor->local_endpoint()));
    impl_->accept_tcp();
  }
  every(kTimeChecks, [this] { impl_->check_connections(); });
}

Server::~Server() {
  const auto connections = std::exchange(impl_->connections, {});
  for (const auto& connection : connections) connection->close();
  if (impl_->local_acceptor) ::unlink(impl_->options.unix_socket.c_str());
}

const std::string& Server::address() const {
  return impl_->address;
}

void Server::run() {
  while (!impl_->io.stopped()) try {
      impl_->io.run();
    } catch (const std::exception& error) {
      impl_->handlers.failed(error.what());
    }
}

void Server::post(std::function<void()> work) {
  asio::post(impl_->io, std::move(work));
}

void Server::every(std::chrono::milliseconds interval, std::function<void()> work) {
  impl_->repetitions.push_back({asio::steady_timer(impl_->io), interval, std::move(work)});
  impl_->repeat(impl_->repetitions.size() - 1);
}

void Server::stop() {
  impl_->io.stop();
}

void Server::close_listener() {
  ErrorCode ignored;
  if (impl_->tcp_acceptor) impl_->tcp_acceptor->close(ignored);
  if (impl_->local_acceptor) impl_->local_acceptor->close(ignored);
  impl_->pause.cancel();
  for (const auto& connection : impl_->connections) connection->close_when_idle();
}

int64_t Server::num_connections() const {
  return static_cast<int64_t>(impl_->connections.size());
}

int64_t Server::num_busy() const {
  return std::ranges::count_if(impl_->connections,
                               [](const auto& connection) { return !connection->closed() && !connection->idle(); });
}

}  // namespace cleave::server::http
