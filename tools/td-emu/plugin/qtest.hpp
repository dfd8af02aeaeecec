// SPDX-License-Identifier: Apache-2.0
//
// Port I/O on QEMU's own devices, by its qtest socket [QEMU docs/devel/testing/qtest.rst]. QEMU's
// main thread serves it, so that a vCPU's thread may wait for the answer.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace tdshim::td_emu {

class Qtest {
  public:
    explicit Qtest(std::string path) : path_(std::move(path)) {}

    [[nodiscard]] std::uint32_t read_port(std::uint16_t port, unsigned size);
    void write_port(std::uint16_t port, unsigned size, std::uint32_t value);

    [[nodiscard]] std::uint64_t read_memory(std::uint64_t address, unsigned size);
    void write_memory(std::uint64_t address, unsigned size, std::uint64_t value);

    /// Waits until all writes were carried out.
    void finish();

  private:
    void connect();
    void send(const std::string& command);
    [[nodiscard]] std::string receive();
    /// The number in the answer to `command`, behind those to writes.
    [[nodiscard]] std::uint64_t ask(const std::string& command);
    /// Returns when no more than `unanswered` writes are under way.
    void tell(const std::string& command, unsigned unanswered);

    std::string path_;
    std::mutex mutex_;
    int socket_ = -1;
    std::string buffer_;
    unsigned unanswered_ = 0; ///< writes whose "OK" was not read yet
};

} // namespace tdshim::td_emu
