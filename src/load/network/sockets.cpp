#include "load/network/sockets.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/error.h"

namespace cleave::load {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using TlsStream = asio::ssl::stream<StreamSocket>;

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kMaxSocketPath = 108;  // sockaddr_un

bool is_end(ErrorCode error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

/// A connection over either kind of stream. Callbacks hold it, since they come even after close() has cancelled them.
template <class Stream>
class Call final : public Connection, public std::enable_shared_from_this<Call<Stream>> {
 public:
  template <class... Arguments>
  Call(std::string request, ConnectionEvents events, Arguments&&... arguments)
      : stream_(std::forward<Arguments>(arguments)...), request_(std::move(request)), events_(std::move(events)) {}

  Stream& stream() { return stream_; }

  void connect(const Endpoints& endpoints) {
    asio::async_connect(stream_.lowest_layer(), endpoints, guarded("cannot connect", [this] { handshake(); }));
  }
  void close() override {
    closed_ = true;
    ErrorCode ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  // A handler that goes on with `next` where all is well. The last argument of Asio's handlers is of no interest.
  template <class Next>
  auto guarded(const char* what, Next next) {
    return [this, self = this->shared_from_this(), what, next](ErrorCode error, const auto&...) {
      if (closed_) return;
      if (error) return end(fmt::format("{}: {}", what, error.message()));
      next();
    };
  }

  void handshake() {
    ErrorCode ignored;
    stream_.lowest_layer().set_option(tcp::no_delay(true), ignored);  // a unix socket has none
    if constexpr (std::is_same_v<Stream, TlsStream>)
      stream_.async_handshake(asio::ssl::stream_base::client, guarded("no TLS", [this] { send(); }));
    else
      send();
  }

  // It reads at once, since a server may refuse a request before it has all of it.
  void send() {
    asio::async_write(stream_, asio::buffer(request_),
                      [self = this->shared_from_this()](ErrorCode, size_t) { self->request_ = {}; });
    read();
  }

  void read() {
    stream_.async_read_some(asio::buffer(buffer_), [this, self = this->shared_from_this()](ErrorCode error, size_t n) {
      if (closed_) return;
      if (n > 0) events_.received({buffer_.data(), n});
      if (closed_) return;
      if (error) return end(is_end(error) ? "" : "the connection broke: " + error.message());
      read();
    });
  }

  void end(const std::string& problem) {
    close();
    events_.ended(problem);
  }

  Stream stream_;
  std::string request_;
  ConnectionEvents events_;
  std::array<char, kReadBytes> buffer_{};
  bool closed_ = false;
};

}  // namespace

Endpoints endpoints_of(asio::io_context& io, const Target& target) {
  if (!target.unix_socket.empty()) {
    if (target.unix_socket.size() >= kMaxSocketPath)
      fail(ErrorKind::InvalidArgument, "a socket's path of {} bytes, wanted fewer than {}", target.unix_socket.size(),
           kMaxSocketPath);
    return {asio::local::stream_protocol::endpoint(target.unix_socket)};
  }
  ErrorCode error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(target.host, fmt::format("{}", target.port), error);
  if (error || found.empty()) fail(ErrorKind::Io, "{} has no address: {}", target.host, error.message());
  Endpoints endpoints;
  for (const auto& entry : found) endpoints.emplace_back(entry.endpoint());
  return endpoints;
}

std::unique_ptr<asio::ssl::context> client_context(const TlsOptions& options) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  ErrorCode error;
  if (options.authorities.empty())
    context->set_default_verify_paths(error);
  else
    context->load_verify_file(options.authorities, error);
  if (error)
    fail(ErrorKind::InvalidArgument, "{}: no certificates in PEM form: {}", options.authorities, error.message());
  context->set_verify_mode(options.insecure ? asio::ssl::verify_none : asio::ssl::verify_peer);
  return context;
}

std::shared_ptr<Connection> open_plain(asio::io_context& io, const Endpoints& endpoints, std::string request,
                                       ConnectionEvents events) {
  auto call = std::make_shared<Call<StreamSocket>>(std::move(request), std::move(events), io);
  call->connect(endpoints);
  return call;
}

std::shared_ptr<Connection> open_tls(asio::io_context& io, const Endpoints& endpoints, asio::ssl::context& context,
                                     const std::string& host, std::string request, ConnectionEvents events) {
  auto call = std::make_shared<Call<TlsStream>>(std::move(request), std::move(events), io, context);
  // RFC 6066, section 3: server_name holds names, never addresses.
  ErrorCode is_name;
  asio::ip::make_address(host, is_name);
  if (is_name) SSL_set_tlsext_host_name(call->stream().native_handle(), host.c_str());
  call->stream().set_verify_callback(asio::ssl::host_name_verification(host));
  call->connect(endpoints);
  return call;
}

}  // namespace cleave::load
