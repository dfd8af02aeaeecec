// SPDX-License-Identifier: Apache-2.0
#include "tools/collection/sender.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <format>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <vector>

// behind sys/socket.h, which it needs
#include <linux/vm_sockets.h>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

/// An address as the system calls take it.
struct Address {
    int family = 0;
    std::vector<std::byte> bytes;
};

template <class T>
Address address_of(int family, const T& address) {
    const auto bytes = std::as_bytes(std::span(&address, 1));
    return {family, {bytes.begin(), bytes.end()}};
}

template <class T>
std::optional<T> decimal(std::string_view text) {
    T value{};
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stopped == end ? std::optional(value) : std::nullopt;
}

std::optional<Address> vsock_address(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto cid = colon == text.npos ? std::optional<unsigned>(VMADDR_CID_HOST)
                                        : decimal<unsigned>(text.substr(0, colon));
    const auto port = decimal<unsigned>(colon == text.npos ? text : text.substr(colon + 1));
    if (!cid || !port)
        return std::nullopt;
    sockaddr_vm address{};
    address.svm_family = AF_VSOCK;
    address.svm_cid = *cid;
    address.svm_port = *port;
    return address_of(AF_VSOCK, address);
}

std::optional<Address> tcp_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const auto port =
        colon == text.npos ? std::nullopt : decimal<std::uint16_t>(text.substr(colon + 1));
    if (!port)
        return std::nullopt;
    std::string host(text.substr(0, colon));
    if (host.starts_with('[') && host.ends_with(']')) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(*port);
        host = host.substr(1, host.size() - 2);
        if (::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1)
            return std::nullopt;
        return address_of(AF_INET6, address);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(*port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
        return std::nullopt;
    return address_of(AF_INET, address);
}

std::optional<Address> parse(std::string_view place) {
    constexpr std::string_view tcp = "tcp:";
    constexpr std::string_view vsock = "vsock:";
    if (place.starts_with(tcp))
        return tcp_address(place.substr(tcp.size()));
    if (place.starts_with(vsock))
        return vsock_address(place.substr(vsock.size()));
    return std::nullopt;
}

constexpr int patience_seconds = 60;

/// Until the other side has closed, which it does when it has come to the end of what was sent; one
/// that goes before, with something unread, resets the connection.
Outcome<> wait_for_close(const std::string& place, int socket) {
    std::byte said{};
    ssize_t count = 0;
    do
        count = ::recv(socket, &said, sizeof(said), 0);
    while (count < 0 && errno == EINTR);
    if (count == 0)
        return {};
    if (count > 0)
        return std::unexpected(
            failure(place, "expected the end of the connection, found that more is said"));
    return std::unexpected(system_failure(
        place, "all was sent, and is not known to be received: the other side did not close",
        errno));
}

} // namespace

Outcome<> check_place(const std::string& place) {
    if (parse(place))
        return {};
    return std::unexpected(failure(
        printable(place), "expected such as tcp:10.0.2.2:4433, tcp:[::1]:4433 or vsock:4433"));
}

Outcome<Descriptor> connect_to(const std::string& place) {
    constexpr timeval patience{.tv_sec = patience_seconds, .tv_usec = 0};
    TRY(check_place(place));
    const auto address = parse(place);
    Descriptor socket(::socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.is_open() ||
        ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        ::connect(socket.number(), reinterpret_cast<const sockaddr*>(address->bytes.data()),
                  static_cast<socklen_t>(address->bytes.size())) != 0)
        return std::unexpected(system_failure(place, "cannot connect", errno));
    return socket;
}

Outcome<> send_to(const std::string& place, Bytes bytes) {
    const Descriptor socket = TRY(connect_to(place));
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return std::unexpected(system_failure(place, "cannot send", errno));
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    if (::shutdown(socket.number(), SHUT_WR) != 0)
        return std::unexpected(system_failure(place, "cannot end the connection", errno));
    return wait_for_close(place, socket.number());
}

} // namespace tdshim::tools
