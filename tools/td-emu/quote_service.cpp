// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/quote_service.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <span>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "tools/quoting/service_messages.hpp"

namespace tdshim::td_emu {

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

void serve(int socket, const quoting::Platform& platform, quoting::QuoteVersion version) {
    for (;;) {
        const int connection = ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0 && errno == EINTR)
            continue;
        if (connection < 0)
            return; // shut down
        if (const auto message = quoting::receive_message(connection))
            static_cast<void>(
                quoting::send_message(connection, answer(*message, platform, version)));
        ::close(connection);
    }
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

Outcome<QuoteService> QuoteService::open(const std::string& path, quoting::Platform platform,
                                         quoting::QuoteVersion version) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path.size() >= sizeof(address.sun_path))
        return std::unexpected(tools::failure(path, "is too long for a socket"));
    std::ranges::copy(path, std::begin(address.sun_path));
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0 ||
        ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(socket, SOMAXCONN) != 0) {
        const int error = errno;
        ::close(socket);
        return std::unexpected(system_failure(path, "cannot listen", error));
    }
    return QuoteService(path, socket, std::move(platform), version);
}

QuoteService::QuoteService(std::string path, int socket, quoting::Platform platform,
                           quoting::QuoteVersion version)
    : path_(std::move(path)), socket_(socket),
      thread_(start_without_signals(
          [socket, version, owned = std::move(platform)] { serve(socket, owned, version); })) {}

QuoteService::QuoteService(QuoteService&& other) noexcept
    : path_(std::move(other.path_)), socket_(std::exchange(other.socket_, -1)),
      thread_(std::move(other.thread_)) {}

QuoteService::~QuoteService() {
    if (socket_ < 0)
        return;
    ::shutdown(socket_, SHUT_RDWR); // wakes accept() [unix(7) has no word of it; Linux does so]
    thread_.join();
    ::close(socket_);
    ::unlink(path_.c_str());
}

} // namespace tdshim::td_emu
