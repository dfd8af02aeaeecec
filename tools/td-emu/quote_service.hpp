// SPDX-License-Identifier: Apache-2.0
//
// td-emu's quoting service: what a host has in QGS and the quoting enclave, on a socket of the run,
// where the plugin asks as QEMU does.
#pragma once

#include <string>
#include <thread>

#include "tools/common/failure.hpp"
#include "tools/quoting/platform.hpp"

namespace tdshim::td_emu {

/// Answers until it is destroyed, on a thread of its own, one connection after the other. What it
/// does not sign it says in a line on stderr.
class QuoteService {
  public:
    /// Errors name `path`.
    [[nodiscard]] static tools::Outcome<QuoteService>
    open(const std::string& path, quoting::Platform platform, quoting::QuoteVersion version);
    ~QuoteService();
    QuoteService(QuoteService&& other) noexcept;
    QuoteService& operator=(QuoteService&&) = delete;

  private:
    QuoteService(std::string path, int socket, quoting::Platform platform,
                 quoting::QuoteVersion version);

    std::string path_;
    int socket_;
    std::thread thread_;
};

} // namespace tdshim::td_emu
