#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "server/http/transport.h"

namespace cleave::server::http {

/// Any socket that streams: TCP's, or one of a path.
using StreamSocket = boost::asio::generic::stream_protocol::socket;

/// The transport of a socket as it is.
std::unique_ptr<Transport> plain_transport(StreamSocket socket);
/// The same inside of TLS; the handshake comes before the first read. The context must outlive it.
std::unique_ptr<Transport> tls_transport(StreamSocket socket, boost::asio::ssl::context& context);

/// A context with the certificate chain and key of two files. Throws Error(InvalidArgument).
std::unique_ptr<boost::asio::ssl::context> tls_context(const std::string& certificate, const std::string& key);

}  // namespace cleave::server::http
