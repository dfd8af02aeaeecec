// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/qtest_machine.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <format>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/formats/fw_cfg/wire.hpp"
#include "tools/common/text.hpp"

extern "C" char** environ;

namespace tdshim::vmm {
namespace {

using tools::failure;
using tools::Outcome;
using tools::system_failure;

constexpr std::uint16_t dma_high_port = 0x514; // big-endian, like all of the DMA interface
constexpr std::uint16_t dma_low_port = 0x518;
constexpr std::uint64_t control_address = 0x1000; // in the machine's memory, which nobody uses
constexpr std::uint64_t data_address = 0x100000;

} // namespace

QtestMachine::~QtestMachine() {
    for (const int descriptor : {to_, from_})
        if (descriptor >= 0)
            ::close(descriptor);
    if (process_ <= 0)
        return;
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Outcome<> QtestMachine::start(std::vector<std::string> arguments) {
    program_ = arguments.front();
    arguments.insert(arguments.end(),
                     {"-accel", "tcg", "-S", "-qtest", "stdio", "-qtest-log", "/dev/null"});
    std::vector<char*> words;
    for (std::string& argument : arguments)
        words.push_back(argument.data());
    words.push_back(nullptr);
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    if (::pipe2(input.data(), O_CLOEXEC) != 0)
        return std::unexpected(system_failure(program_, "cannot make a pipe", errno));
    to_ = input[1];
    if (::pipe2(output.data(), O_CLOEXEC) != 0) {
        ::close(input[0]);
        return std::unexpected(system_failure(program_, "cannot make a pipe", errno));
    }
    from_ = output[0];
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    const int error = ::posix_spawnp(&process_, words[0], &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(input[0]);
    ::close(output[1]);
    if (error != 0) {
        process_ = 0;
        return std::unexpected(system_failure(program_, "cannot start", error));
    }
    ::signal(SIGPIPE, SIG_IGN); // a QEMU that ended is an error of its own below
    return {};
}

Outcome<std::string> QtestMachine::command(const std::string& line) {
    if (failure_)
        return std::unexpected(*failure_);
    auto answered = exchange(line);
    if (!answered)
        failure_ = answered.error();
    return answered;
}

Outcome<std::string> QtestMachine::exchange(const std::string& line) {
    const std::string text = line + "\n";
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t count = ::write(to_, text.data() + written, text.size() - written);
        if (count < 0 && errno != EINTR)
            return std::unexpected(failure(program_, "ended before it answered"));
        if (count > 0)
            written += static_cast<std::size_t>(count);
    }
    return answer();
}

Outcome<std::string> QtestMachine::answer() {
    while (true) {
        const std::size_t end = buffer_.find('\n');
        if (end == std::string::npos) {
            std::array<char, 65536> piece{};
            const ssize_t count = ::read(from_, piece.data(), piece.size());
            if (count < 0 && errno == EINTR)
                continue;
            if (count <= 0)
                return std::unexpected(failure(program_, "ended before it answered"));
            buffer_.append(piece.data(), static_cast<std::size_t>(count));
            continue;
        }
        const std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (line == "OK")
            return "";
        if (line.starts_with("OK "))
            return line.substr(3);
        if (line.starts_with("IRQ ")) // a device's interrupt, reported as it happens
            continue;
        return std::unexpected(
            failure(program_, "answers \"" + tools::printable(line) + "\" to qtest"));
    }
}

std::uint32_t QtestMachine::in32(std::uint16_t port) {
    const auto text = command(std::format("inl {:#x}", port));
    return text ? static_cast<std::uint32_t>(std::strtoul(text->c_str(), nullptr, 16)) : 0;
}

void QtestMachine::out32(std::uint16_t port, std::uint32_t value) {
    static_cast<void>(command(std::format("outl {:#x} {:#x}", port, value)));
}

Outcome<std::vector<std::byte>> QtestMachine::read_item(std::uint16_t selector, std::size_t size) {
    const fw_cfg::DmaControl control{.control = fw_cfg::dma_read | fw_cfg::dma_select |
                                                std::uint32_t{selector} << 16,
                                     .length = static_cast<std::uint32_t>(size),
                                     .address = data_address};
    TRY(command(std::format("write {:#x} {:#x} 0x{}", control_address, sizeof(control),
                            tools::hex(bytes_of(control)))));
    TRY(command(std::format("outl {:#x} 0", dma_high_port)));
    TRY(command(std::format("outl {:#x} {:#x}", dma_low_port,
                            std::byteswap(static_cast<std::uint32_t>(control_address)))));
    const std::string status =
        TRY(command(std::format("read {:#x} {:#x}", control_address, sizeof(be32))));
    if (status != "0x00000000")
        return std::unexpected(failure(
            program_, std::format("fw_cfg item {:#x}: a DMA transfer ends with control word {}",
                                  selector, tools::printable(status))));
    if (size == 0)
        return std::vector<std::byte>{};
    const std::string data = TRY(command(std::format("read {:#x} {:#x}", data_address, size)));
    const auto bytes = data.starts_with("0x") ? tools::bytes_of_hex(data.substr(2)) : std::nullopt;
    if (!bytes || bytes->size() != size)
        return std::unexpected(failure(program_, "answers no memory to qtest's read"));
    return *bytes;
}

} // namespace tdshim::vmm
