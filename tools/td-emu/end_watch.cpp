// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/end_watch.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <format>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tdshim::td_emu {

using tools::Outcome;
using tools::system_failure;

namespace {

// The machine starts behind the first of the two: its end cannot come before the connection that
// hears of it [QEMU Machine Protocol Specification, 3.1 and 4].
constexpr std::string_view hear = R"({"execute": "qmp_capabilities"})"
                                  "\n";
constexpr std::string_view start = R"({"execute": "cont"})"
                                   "\n";

bool send(int socket, std::string_view text) {
    return ::write(socket, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

} // namespace

Outcome<EndWatch> EndWatch::open(bool starts_machine) {
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) != 0)
        return std::unexpected(system_failure("QMP", "cannot make a connection", errno));
    EndWatch watch(sockets[0], sockets[1]);
    if (::fcntl(watch.own_, F_SETFD, FD_CLOEXEC) != 0 || !send(watch.own_, hear) ||
        (starts_machine && !send(watch.own_, start)))
        return std::unexpected(system_failure("QMP", "cannot use the connection", errno));
    return watch;
}

EndWatch::~EndWatch() {
    for (const int socket : {own_, of_qemu_})
        if (socket >= 0)
            ::close(socket);
}

EndWatch::EndWatch(EndWatch&& other) noexcept
    : own_(std::exchange(other.own_, -1)), of_qemu_(std::exchange(other.of_qemu_, -1)) {}

std::vector<std::string> EndWatch::qemu_words() const {
    return {"-S", "-chardev", std::format("socket,id=td-emu-end,fd={}", of_qemu_), "-qmp",
            "chardev:td-emu-end"};
}

std::string EndWatch::take_messages() const {
    std::string messages;
    std::array<char, 4096> piece{};
    ssize_t size = 0;
    while ((size = ::recv(own_, piece.data(), piece.size(), MSG_DONTWAIT)) > 0)
        messages.append(piece.data(), static_cast<std::size_t>(size));
    return messages;
}

} // namespace tdshim::td_emu
