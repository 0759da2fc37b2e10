// SPDX-License-Identifier: Apache-2.0
// The one file that instantiates Asio, Beast and TLS.
#include "store/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "core/log.h"
#include "store/bounds.h"
#include "store/tls_context.h"

namespace vouch::store {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using Stream = beast::ssl_stream<beast::tcp_stream>;
using Parser = http::request_parser<http::buffer_body>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kChunkBytes = 64u << 10;
constexpr std::uint64_t kDrainBytesMax = 8u << 20;  // Of a body that nobody wants any more.
constexpr std::size_t kReaderBytesPerSecondMin = 64u << 10;  // A slower one is cut off.
constexpr std::chrono::milliseconds kAcceptPause{100};

// Calls `start` with a callback, and resumes on this coroutine's executor when, and with what, the
// callback was called, on whatever thread that was. `start` outlives the wait: GCC 12 destroys
// temporaries of a co_await expression twice, so callers name it first.
template <typename T>
asio::awaitable<T> wait_for(const std::function<void(std::function<void(T)>)>& start) {
  auto initiate = [&start](auto handler) {
    // The callback must be copyable, the handler is not: the copies own it together.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start([shared](T value) {
      auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared, value = std::move(value)]() mutable {
        std::move (*shared)(std::move(value));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(
      initiate, asio::use_awaitable);
}

std::string text(beast::string_view view) {
  return {view.data(), view.size()};
}

Request read_head(const Parser& parser) {
  const auto& message = parser.get();
  Request request;
  request.method = text(message.method_string());
  request.target = text(message.target());
  request.content_type = text(message[http::field::content_type]);
  request.content_encoding = text(message[http::field::content_encoding]);
  request.authorization = text(message[http::field::authorization]);
  if (const auto length = parser.content_length()) request.content_length = *length;
  return request;
}

}  // namespace

class HttpServer::State {
 public:
  State(const ServerOptions& options, Handler& handler)
      : options_(options),
        handler_(handler),
        tls_(asio::ssl::context::tls_server),
        pool_(options.threads),
        acceptor_(io_),
        signals_(io_),
        stop_timer_(io_),
        connections_(options.connections_max, options.connections_per_client_max) {}

  Status listen();
  std::uint16_t port() const { return port_; }
  void run(bool handle_signals);
  void stop() {
    asio::post(io_, [this] { begin_stop(); });
  }
  // No thread of the pool touches a connection after this.
  void join() { pool_.join(); }

 private:
  struct Deadline {
    std::chrono::steady_clock::time_point at;
    [[nodiscard]] std::chrono::steady_clock::duration left(std::chrono::milliseconds stall) const {
      const auto left = at - std::chrono::steady_clock::now();
      return std::min<std::chrono::steady_clock::duration>(left, stall);
    }
  };

  void begin_stop();
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<bool> serve_one(Stream& stream, beast::flat_buffer& buffer);
  asio::awaitable<Response> answer(Stream& stream, beast::flat_buffer& buffer, Parser& parser,
                                   Deadline deadline);
  asio::awaitable<Response> answer_upload(Stream& stream, beast::flat_buffer& buffer,
                                          Parser& parser, Upload& upload, Deadline deadline);
  asio::awaitable<bool> read_chunk(Stream& stream, beast::flat_buffer& buffer, Parser& parser,
                                   std::string& chunk, Deadline deadline);
  asio::awaitable<Response> finish(const std::function<void(const Done&)>& begin);
  asio::awaitable<bool> write(Stream& stream, Response& response, bool keep_alive, bool with_body);

  const ServerOptions options_;
  Handler& handler_;
  asio::io_context io_{1};
  asio::ssl::context tls_;
  asio::thread_pool pool_;
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  asio::steady_timer stop_timer_;
  std::uint16_t port_ = 0;
  // Touched by the network's thread alone.
  bool stopping_ = false;
  ConnectionBook connections_;
  std::set<beast::tcp_stream*> idle_;  // Connections that wait for a request.
};

Status HttpServer::State::listen() {
  auto loaded = configure_tls(tls_.native_handle(), options_.certificate_path, options_.key_path);
  if (!loaded) return loaded;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) return Error{Errc::invalid, options_.address + ": not an IP address"};
  const tcp::endpoint endpoint(address, options_.port);
  const std::string name = options_.address + ":" + std::to_string(options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return errno_error("listen on " + name, error.value());
  port_ = acceptor_.local_endpoint().port();
  return Ok{};
}

void HttpServer::State::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  signals_.cancel(ignored);
  for (auto* stream : idle_) stream->cancel();
  if (connections_.count() == 0) return io_.stop();
  stop_timer_.expires_after(options_.stop);
  stop_timer_.async_wait([this](const boost::system::error_code&) { io_.stop(); });
}

void HttpServer::State::run(bool handle_signals) {
  if (handle_signals) {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) begin_stop();
    });
  }
  const auto fail = [this](const std::exception_ptr& failure) {
    if (!failure || stopping_) return;
    log::error("the listener failed");
    begin_stop();
  };
  asio::co_spawn(io_, accept(), fail);
  io_.run();
}

asio::awaitable<void> HttpServer::State::accept() {
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    if (stopping_) co_return;
    if (error) {
      // Out of descriptors, most likely: others will be given back.
      asio::steady_timer pause(io_, kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    boost::system::error_code gone;  // Then it counts against a client without a name.
    const std::string client = client_name(socket.remote_endpoint(gone).address().to_string());
    if (!connections_.enter(client)) continue;  // Closes the socket.
    asio::co_spawn(io_, serve(std::move(socket)),
                   [this, client](const std::exception_ptr& failure) {
                     connections_.leave(client);
                     if (failure) log::error("a connection failed");
                     if (stopping_ && connections_.count() == 0) io_.stop();
                   });
  }
}

asio::awaitable<void> HttpServer::State::serve(tcp::socket socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  Stream stream(std::move(socket), tls_);
  auto& transport = beast::get_lowest_layer(stream);
  transport.expires_after(options_.handshake);
  const auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server, kAwait);
  if (failed) co_return;

  beast::flat_buffer buffer;
  buffer.max_size(options_.header_bytes_max + kChunkBytes);
  for (bool keep = true; keep && !stopping_;) {
    if (buffer.size() == 0) {
      // Waits for a first byte without a request's deadline running.
      idle_.insert(&transport);
      transport.expires_after(options_.idle);
      const auto [error, count] =
          co_await stream.async_read_some(buffer.prepare(kChunkBytes), kAwait);
      idle_.erase(&transport);
      if (error) break;
      buffer.commit(count);
    }
    keep = co_await serve_one(stream, buffer);
  }
  transport.expires_after(options_.handshake);
  co_await stream.async_shutdown(kAwait);
}

// One request and its response. False: the connection must end.
asio::awaitable<bool> HttpServer::State::serve_one(Stream& stream, beast::flat_buffer& buffer) {
  auto& transport = beast::get_lowest_layer(stream);
  const Deadline deadline{std::chrono::steady_clock::now() + options_.request};
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
  // One more than allowed, so that the handler can say by how much a body is too large.
  parser.body_limit(options_.upload_bytes_max + 1);
  transport.expires_after(options_.head);
  const auto [error, count] = co_await http::async_read_header(stream, buffer, parser, kAwait);
  if (error) {
    if (error == http::error::body_limit) {
      const auto limit = static_cast<std::int64_t>(options_.upload_bytes_max);
      Response refusal = to_response({ProblemKind::too_large, "", {{"limit", limit}}});
      co_await write(stream, refusal, false, true);
    } else if (error.category() == beast::error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      const int status = error == http::error::header_limit ? 431 : 400;
      Response refusal{status, "text/plain; charset=utf-8", error.message() + "\n", {}};
      co_await write(stream, refusal, false, true);
    }
    co_return false;
  }
  Response response = co_await answer(stream, buffer, parser, deadline);

  // A peer that is still sending would miss the answer if the connection were cut: read on, for a
  // while.
  std::string chunk;
  std::uint64_t drained = 0;
  const bool early = !parser.is_done();
  bool keep = parser.keep_alive() && !stopping_ && !early;
  const bool written =
      co_await write(stream, response, keep, parser.get().method() != http::verb::head);
  const Deadline soon{std::min(deadline.at, std::chrono::steady_clock::now() + options_.stall)};
  while (written && !parser.is_done() && drained < kDrainBytesMax) {
    if (!co_await read_chunk(stream, buffer, parser, chunk, soon)) break;
    drained += chunk.size();
  }
  co_return keep&& written;
}

// The next bytes of the body; none at its end. False: the peer is gone, too slow or not HTTP.
asio::awaitable<bool> HttpServer::State::read_chunk(Stream& stream, beast::flat_buffer& buffer,
                                                    Parser& parser, std::string& chunk,
                                                    Deadline deadline) {
  chunk.resize(kChunkBytes);
  auto& body = parser.get().body();
  body.data = chunk.data();
  body.size = chunk.size();
  // Once for the whole chunk: a peer that sends a byte now and then does not hold on to its place.
  beast::get_lowest_layer(stream).expires_after(deadline.left(options_.stall));
  while (!parser.is_done() && body.size > 0) {
    const auto [error, count] = co_await http::async_read_some(stream, buffer, parser, kAwait);
    if (error && error != http::error::need_buffer) co_return false;
  }
  chunk.resize(kChunkBytes - body.size);
  co_return true;
}

// Calls `begin` on the pool; then, when it says how, makes the response there.
asio::awaitable<Response> HttpServer::State::finish(const std::function<void(const Done&)>& begin) {
  const std::function<void(std::function<void(Response)>)> start = [this, &begin](auto callback) {
    const Done done = [this, callback = std::move(callback)](ResponseMaker make) {
      asio::post(pool_, [callback, make = std::move(make)] { callback(make()); });
    };
    asio::post(pool_, [&begin, done] { begin(done); });
  };
  co_return co_await wait_for<Response>(start);
}

asio::awaitable<Response> HttpServer::State::answer(Stream& stream, beast::flat_buffer& buffer,
                                                    Parser& parser, Deadline deadline) {
  Request request = read_head(parser);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_on(http::status::continue_, 11);
    beast::get_lowest_layer(stream).expires_after(options_.stall);
    co_await http::async_write(stream, go_on, kAwait);
  }
  const auto upload = handler_.upload(request);
  if (upload) co_return co_await answer_upload(stream, buffer, parser, *upload, deadline);

  std::string chunk;
  while (!parser.is_done()) {
    if (!co_await read_chunk(stream, buffer, parser, chunk, deadline)) {
      co_return Response{408, "text/plain; charset=utf-8", "incomplete request\n", {}};
    }
    request.body += chunk;
    if (request.body.size() > options_.body_bytes_max) {
      const auto limit = static_cast<std::int64_t>(options_.body_bytes_max);
      co_return to_response({ProblemKind::too_large, "", {{"limit", limit}}});
    }
  }
  const std::function<void(const Done&)> begin = [this, &request](const Done& done) {
    handler_.handle_async(request, done);
  };
  co_return co_await finish(begin);
}

asio::awaitable<Response> HttpServer::State::answer_upload(Stream& stream,
                                                           beast::flat_buffer& buffer,
                                                           Parser& parser, Upload& upload,
                                                           Deadline deadline) {
  std::string chunk;
  const std::function<void(std::function<void(bool)>)> feed = [&](auto callback) {
    asio::post(pool_, [&, callback = std::move(callback)] { callback(upload.feed(chunk)); });
  };
  // The usual parcel comes in one piece: its feed and finish are one trip to the pool.
  const std::function<void(const Done&)> end = [&upload, &chunk](const Done& done) {
    (void)upload.feed(chunk);
    upload.finish(done);
  };
  for (;;) {
    if (!co_await read_chunk(stream, buffer, parser, chunk, deadline)) {
      co_return Response{408, "text/plain; charset=utf-8", "incomplete request\n", {}};
    }
    const bool last = parser.is_done();
    if (!last && co_await wait_for<bool>(feed)) continue;
    if (!last) chunk.clear();
    co_return co_await finish(end);
  }
}

asio::awaitable<bool> HttpServer::State::write(Stream& stream, Response& response, bool keep_alive,
                                               bool with_body) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), 11);
  message.set(http::field::server, "vouch-store");
  message.set(http::field::content_type, response.content_type);
  message.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  message.content_length(response.body.size());
  const std::chrono::seconds to_send(response.body.size() / kReaderBytesPerSecondMin);
  if (with_body) message.body() = std::move(response.body);
  beast::get_lowest_layer(stream).expires_after(options_.stall + to_send);
  const auto [error, count] = co_await http::async_write(stream, message, kAwait);
  co_return !error;
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  state_->join();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ServerOptions& options,
                                                       Handler& handler) {
  auto state = std::make_unique<State>(options, handler);
  auto listening = state->listen();
  if (!listening) return std::move(listening).error();
  return std::make_unique<HttpServer>(std::move(state));
}

std::uint16_t HttpServer::port() const {
  return state_->port();
}
void HttpServer::run(bool handle_signals) {
  state_->run(handle_signals);
}
void HttpServer::stop() {
  state_->stop();
}

}  // namespace vouch::store
