// SPDX-License-Identifier: Apache-2.0
//
// tools/collection: that evidence counts as sent when the other side took all of it, and what is
// said where Linux has no quote.

#include <arpa/inet.h>
#include <cerrno>
#include <format>
#include <functional>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "tools/collection/quote_source.hpp"
#include "tools/collection/sender.hpp"

namespace tdshim::tools { namespace {

/// What send_to() makes of 64 KiB, and how many bytes of it `take` took of the connection.
struct Sent {
    Outcome<> outcome;
    std::size_t taken = 0;
};
Sent sent_to(const std::function<std::size_t(int)>& take) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    const Descriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(server.number(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(server.number(), 1) == 0);
    REQUIRE(::getsockname(server.number(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    std::size_t taken = 0;
    std::thread taker([&] {
        const Descriptor connection(::accept(server.number(), nullptr, nullptr));
        taken = take(connection.number());
    });
    const std::vector<std::byte> bytes(65536);
    auto outcome = send_to(std::format("tcp:127.0.0.1:{}", ntohs(address.sin_port)), bytes);
    taker.join();
    return {std::move(outcome), taken};
}

std::size_t take_all(int connection) {
    std::array<std::byte, 4096> piece{};
    std::size_t taken = 0;
    for (ssize_t count = 1; count > 0; taken += static_cast<std::size_t>(count))
        count = ::recv(connection, piece.data(), piece.size(), 0);
    return taken;
}

TEST_CASE("what the other side took to its end is sent", "[collection]") {
    const Sent sent = sent_to(take_all);
    CHECK(sent.outcome);
    CHECK(sent.taken == 65536);
}

TEST_CASE("what the other side left unread is not sent", "[collection]") {
    const Sent sent = sent_to([](int connection) {
        std::byte first{};
        return static_cast<std::size_t>(::recv(connection, &first, 1, 0));
    });
    CHECK_FALSE(sent.outcome);
}

TEST_CASE("who says something has not come to the end", "[collection]") {
    const Sent sent = sent_to([](int connection) {
        const std::size_t taken = take_all(connection);
        static_cast<void>(::send(connection, "?", 1, MSG_NOSIGNAL));
        return taken;
    });
    REQUIRE_FALSE(sent.outcome);
    CHECK(sent.outcome.error().text.contains("found that more is said"));
}

TEST_CASE("a lack of quotes is told by what Linux means", "[collection]") {
    CHECK(meaning_of_no_quote(EBUSY).contains("an earlier request"));
    CHECK(meaning_of_no_quote(EFBIG).contains("larger than what Linux passes on"));
    CHECK(meaning_of_no_quote(ETIMEDOUT).contains("did not answer"));
    CHECK(meaning_of_no_quote(EIO).contains("quote-generation-socket"));
}

}} // namespace tdshim::tools
