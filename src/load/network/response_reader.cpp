#include "load/network/response_reader.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>
#include <utility>

#include "base/growing_body.h"

namespace cleave::load {
namespace {

namespace beast = boost::beast;

constexpr int kFirstFinalStatus = 200;

}  // namespace

struct ResponseReader::Parser {
  beast::http::response_parser<GrowingBody> message;
};

ResponseReader::ResponseReader() : parser_(std::make_unique<Parser>()) {
  parser_->message.header_limit(kMaxHeaderBytes);
  parser_->message.body_limit(std::numeric_limits<std::uint64_t>::max());  // boost::none is less than any length
  parser_->message.eager(true);
}

ResponseReader::~ResponseReader() = default;

ResponseReader::State ResponseReader::push(std::string_view bytes) {
  auto& message = parser_->message;
  if (state_ == State::Complete || state_ == State::Failed) return state_;
  input_.append(bytes);
  beast::error_code error;
  while (!error && !input_.empty() && !message.is_done()) {
    const size_t taken = message.put(boost::asio::buffer(input_), error);
    input_.erase(0, taken);
    if (taken == 0) break;
  }
  if (error && error != beast::http::error::need_more)
    return fail(fmt::format("its answer is no HTTP: {}", error.message()));
  if (!message.is_done() && input_.size() > kMaxHeaderBytes)
    return fail(fmt::format("a line of its answer has more than {} bytes", kMaxHeaderBytes));
  if (message.is_header_done() && status() < kFirstFinalStatus)
    return fail(fmt::format("it answers {}, which nobody has asked for", status()));
  if (message.is_header_done()) state_ = message.is_done() ? State::Complete : State::Body;
  return state_;
}

ResponseReader::State ResponseReader::end() {
  if (state_ == State::Complete || state_ == State::Failed) return state_;
  if (state_ == State::Head) return fail("it closes the connection without an answer");
  beast::error_code error;
  parser_->message.put_eof(error);
  if (error || !parser_->message.is_done()) return fail("it closes the connection within its answer");
  return state_ = State::Complete;
}

bool ResponseReader::has_head() const {
  return parser_->message.is_header_done();
}

int ResponseReader::status() const {
  return static_cast<int>(parser_->message.get().result_int());
}

std::string ResponseReader::content_type() const {
  const auto value = parser_->message.get()[beast::http::field::content_type];
  return {value.data(), value.size()};
}

std::string ResponseReader::take_body() {
  return std::exchange(parser_->message.get().body(), {});
}

ResponseReader::State ResponseReader::fail(std::string problem) {
  problem_ = std::move(problem);
  return state_ = State::Failed;
}

}  // namespace cleave::load
