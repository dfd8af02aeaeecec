// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/quote_service.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <list>
#include <span>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "tools/common/descriptor.hpp"
#include "tools/quoting/service_messages.hpp"

namespace tdshim::td_emu {

using tools::Descriptor;
using tools::Outcome;
using tools::system_failure;

namespace {

constexpr std::uint32_t unexpected_error = 0x12001; // QGS_MSG_ERROR_UNEXPECTED

std::vector<std::byte> answer(Bytes message, const quoting::Platform& platform,
                              quoting::QuoteVersion version) {
    const auto refuse = [](const std::string& why) {
        std::fprintf(stderr, "td-emu: GetQuote: %s\n", why.c_str());
        return quoting::error_response(unexpected_error);
    };
    const auto report = quoting::report_of_request(message);
    if (!report)
        return refuse(report.error());
    const auto quote = platform.quote(*report, version);
    return quote ? quoting::quote_response(*quote) : refuse(quote.error().text);
}

/// Signals are the main thread's.
std::thread start_without_signals(auto function) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::move(function));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

} // namespace

class QuoteService::Server {
  public:
    Server(std::string path, Descriptor socket, quoting::Platform platform,
           quoting::QuoteVersion version)
        : path_(std::move(path)), socket_(std::move(socket)), platform_(std::move(platform)),
          version_(version), accepting_(start_without_signals([this] { accept_all(); })) {}

    /// What a client has not said by now it says to nobody.
    ~Server() {
        ::shutdown(socket_.number(), SHUT_RDWR); // wakes accept(), on Linux
        accepting_.join();
        for (const Connection& connection : connections_)
            ::shutdown(connection.socket.number(), SHUT_RDWR);
        for (Connection& connection : connections_)
            connection.thread.join();
        ::unlink(path_.c_str());
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

  private:
    struct Connection {
        Descriptor socket;
        std::thread thread;
        std::atomic<bool> has_ended = false;
    };

    void accept_all() {
        for (;;) {
            Descriptor socket(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!socket.is_open() && errno == EINTR)
                continue;
            if (!socket.is_open())
                return; // shut down
            connections_.remove_if([](Connection& connection) {
                if (connection.has_ended)
                    connection.thread.join();
                return connection.has_ended.load();
            });
            Connection& connection = connections_.emplace_back(std::move(socket));
            connection.thread = std::thread([this, &connection] { serve(connection); });
        }
    }

    void serve(Connection& connection) {
        const int socket = connection.socket.number();
        if (const auto message = quoting::receive_message(socket))
            static_cast<void>(quoting::send_message(socket, answer(*message, platform_, version_)));
        ::shutdown(socket, SHUT_RDWR);
        connection.has_ended = true;
    }

    std::string path_;
    Descriptor socket_;
    quoting::Platform platform_;
    quoting::QuoteVersion version_;
    std::list<Connection> connections_; ///< of accept_all() alone, until it is joined
    std::thread accepting_;
};

namespace {

bool is_abandoned_socket(const std::string& path, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    const Descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(client.number(), reinterpret_cast<const sockaddr*>(&address),
                     sizeof(address)) != 0 &&
           errno == ECONNREFUSED;
}

} // namespace

Outcome<QuoteService> QuoteService::open(const std::string& path, quoting::Platform platform,
                                         quoting::QuoteVersion version) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path.size() >= sizeof(address.sun_path))
        return std::unexpected(tools::failure(path, "is too long for a socket"));
    std::ranges::copy(path, std::begin(address.sun_path));
    if (is_abandoned_socket(path, address))
        ::unlink(path.c_str());
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
            0 ||
        ::listen(socket.number(), SOMAXCONN) != 0)
        return std::unexpected(
            errno == EADDRINUSE
                ? tools::failure(path, "is there already, a file or another run's socket: give "
                                       "another name")
                : system_failure(path, "cannot listen", errno));
    return QuoteService(
        std::make_unique<Server>(path, std::move(socket), std::move(platform), version));
}

QuoteService::QuoteService(std::unique_ptr<Server> server) : server_(std::move(server)) {}
QuoteService::QuoteService(QuoteService&&) noexcept = default;
QuoteService::~QuoteService() = default;

} // namespace tdshim::td_emu
