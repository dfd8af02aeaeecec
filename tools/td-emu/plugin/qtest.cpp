// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/qtest.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <format>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tdshim::td_emu {
namespace {

// What a serial port answers that is always ready; asking it doubles the time of each character.
constexpr std::uint16_t serial_line_status = 0x3FD;
constexpr std::uint8_t transmitter_ready = 0x60;
constexpr unsigned max_unanswered = 256;

char suffix(unsigned size) {
    return size == 1 ? 'b' : size == 2 ? 'w' : size == 4 ? 'l' : 'q';
}

[[noreturn]] void fail(std::string_view what) {
    std::fprintf(stderr, "td-emu: qtest: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
                 std::strerror(errno));
    std::_Exit(2);
}

} // namespace

void Qtest::connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0 ||
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        fail("cannot connect");
}

void Qtest::send(const std::string& command) {
    if (socket_ < 0)
        connect();
    std::string_view left = command;
    while (!left.empty()) {
        const ssize_t written = ::write(socket_, left.data(), left.size());
        if (written < 0 && errno != EINTR)
            fail("cannot write");
        if (written > 0)
            left.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string Qtest::receive() {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
        char piece[4096];
        const ssize_t count = ::read(socket_, piece, sizeof(piece));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            fail("cannot read");
        buffer_.append(piece, static_cast<std::size_t>(count));
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
}

std::uint64_t Qtest::ask(const std::string& command) {
    const std::lock_guard lock(mutex_);
    send(command);
    for (; unanswered_ > 0; --unanswered_)
        static_cast<void>(receive());
    const std::string answer = receive(); // "OK 0x60"
    const std::size_t number = answer.find("0x");
    return number == std::string::npos ? 0 : std::strtoull(answer.c_str() + number, nullptr, 16);
}

void Qtest::tell(const std::string& command, unsigned unanswered) {
    const std::lock_guard lock(mutex_);
    send(command);
    for (++unanswered_; unanswered_ > unanswered; --unanswered_)
        static_cast<void>(receive());
}

std::uint32_t Qtest::read_port(std::uint16_t port, unsigned size) {
    if (port == serial_line_status && size == 1)
        return transmitter_ready;
    return static_cast<std::uint32_t>(ask(std::format("in{} 0x{:x}\n", suffix(size), port)));
}

void Qtest::finish() {
    const std::lock_guard lock(mutex_);
    for (; unanswered_ > 0; --unanswered_)
        static_cast<void>(receive());
}

void Qtest::write_port(std::uint16_t port, unsigned size, std::uint32_t value) {
    // Only a character of the console may still be under way when the guest goes on.
    const bool is_console = (port & ~7U) == 0x3F8;
    tell(std::format("out{} 0x{:x} 0x{:x}\n", suffix(size), port, value),
         is_console ? max_unanswered : 0);
}

std::uint64_t Qtest::read_memory(std::uint64_t address, unsigned size) {
    return ask(std::format("read{} 0x{:x}\n", suffix(size), address));
}

void Qtest::write_memory(std::uint64_t address, unsigned size, std::uint64_t value) {
    tell(std::format("write{} 0x{:x} 0x{:x}\n", suffix(size), address, value), 0);
}

} // namespace tdshim::td_emu
