#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "load/network/network.h"

namespace cleave::load {

/// Any socket that streams: TCP's, or one of a path.
using StreamSocket = boost::asio::generic::stream_protocol::socket;
using Endpoints = std::vector<boost::asio::generic::stream_protocol::endpoint>;

/// Where a target may be reached. Throws Error(Io) where its name has no address.
Endpoints endpoints_of(boost::asio::io_context& io, const Target& target);

/// A context that trusts what the options say. Throws Error(InvalidArgument).
std::unique_ptr<boost::asio::ssl::context> client_context(const TlsOptions& options);

/// Connects to the first endpoint that answers, sends, and tells what comes back. All but `request` must outlive it.
std::shared_ptr<Connection> open_plain(boost::asio::io_context& io, const Endpoints& endpoints, std::string request,
                                       ConnectionEvents events);
/// The same inside of TLS; the certificate must be of `host`, unless the context trusts any.
std::shared_ptr<Connection> open_tls(boost::asio::io_context& io, const Endpoints& endpoints,
                                     boost::asio::ssl::context& context, const std::string& host, std::string request,
                                     ConnectionEvents events);

}  // namespace cleave::load
