#include "server/http/sockets.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/error.h"

namespace cleave::server::http {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

/// Callbacks hold the socket through a shared pointer, since they come even after close() has cancelled them.
class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(StreamSocket socket) : socket_(std::make_shared<StreamSocket>(std::move(socket))) {}
  ~PlainTransport() override { PlainTransport::close(); }

  void read(std::span<char> into, std::function<void(size_t)> done) override {
    socket_->async_read_some(asio::buffer(into.data(), into.size()),
                             [socket = socket_, done = std::move(done)](ErrorCode error, size_t count) {
                               if (socket->is_open()) done(error ? 0 : count);
                             });
  }
  void write(std::string_view bytes, std::function<void(bool)> done) override {
    asio::async_write(*socket_, asio::buffer(bytes.data(), bytes.size()),
                      [socket = socket_, done = std::move(done)](ErrorCode error, size_t) {
                        if (socket->is_open()) done(!error);
                      });
  }
  void end_writing() override {
    ErrorCode ignored;
    socket_->shutdown(asio::socket_base::shutdown_send, ignored);
  }
  void close() override {
    ErrorCode ignored;
    socket_->close(ignored);
  }

 private:
  std::shared_ptr<StreamSocket> socket_;
};

class TlsTransport final : public Transport {
 public:
  using Stream = asio::ssl::stream<StreamSocket>;
  TlsTransport(StreamSocket socket, asio::ssl::context& context)
      : stream_(std::make_shared<Stream>(std::move(socket), context)) {}
  ~TlsTransport() override { TlsTransport::close(); }

  void read(std::span<char> into, std::function<void(size_t)> done) override {
    if (ready_) return read_some(*stream_, into, std::move(done));
    ready_ = true;
    stream_->async_handshake(asio::ssl::stream_base::server,
                             [stream = stream_, into, done = std::move(done)](ErrorCode error) mutable {
                               if (!stream->lowest_layer().is_open()) return;
                               if (error) return done(0);
                               read_some(*stream, into, std::move(done), stream);
                             });
  }
  void write(std::string_view bytes, std::function<void(bool)> done) override {
    asio::async_write(*stream_, asio::buffer(bytes.data(), bytes.size()),
                      [stream = stream_, done = std::move(done)](ErrorCode error, size_t) {
                        if (stream->lowest_layer().is_open()) done(!error);
                      });
  }
  // Without the message that ends TLS: a client knows by HTTP whether an answer is whole.
  void end_writing() override {
    ErrorCode ignored;
    stream_->lowest_layer().shutdown(asio::socket_base::shutdown_send, ignored);
  }
  void close() override {
    ErrorCode ignored;
    stream_->lowest_layer().close(ignored);
  }

 private:
  void read_some(Stream& stream, std::span<char> into, std::function<void(size_t)> done) {
    read_some(stream, into, std::move(done), stream_);
  }
  static void read_some(Stream& stream, std::span<char> into, std::function<void(size_t)> done,
                        std::shared_ptr<Stream> alive) {
    stream.async_read_some(asio::buffer(into.data(), into.size()),
                           [alive = std::move(alive), done = std::move(done)](ErrorCode error, size_t count) {
                             if (alive->lowest_layer().is_open()) done(error ? 0 : count);
                           });
  }

  std::shared_ptr<Stream> stream_;
  bool ready_ = false;  // the handshake has begun
};

}  // namespace

std::unique_ptr<Transport> plain_transport(StreamSocket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> tls_transport(StreamSocket socket, asio::ssl::context& context) {
  return std::make_unique<TlsTransport>(std::move(socket), context);
}

std::unique_ptr<asio::ssl::context> tls_context(const std::string& certificate, const std::string& key) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1);
  ErrorCode error;
  context->use_certificate_chain_file(certificate, error);
  if (error) fail(ErrorKind::InvalidArgument, "{}: no certificate chain in PEM form: {}", certificate, error.message());
  context->use_private_key_file(key, asio::ssl::context::pem, error);
  if (error)
    fail(ErrorKind::InvalidArgument, "{}: no private key in PEM form that fits {}: {}", key, certificate,
         error.message());
  return context;
}

}  // namespace cleave::server::http
