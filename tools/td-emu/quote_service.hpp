// SPDX-License-Identifier: Apache-2.0
//
// td-emu's quoting service: what a host has in QGS and the quoting enclave, on a socket of the run,
// where the plugin asks as QEMU does.
#pragma once

#include <memory>
#include <string>

#include "tools/common/failure.hpp"
#include "tools/quoting/platform.hpp"

namespace tdshim::td_emu {

/// Answers until it is destroyed, each connection on a thread of its own. What it does not sign it
/// says in a line on stderr.
class QuoteService {
  public:
    /// Takes the place of a socket there that nobody listens on. Errors name `path`.
    [[nodiscard]] static tools::Outcome<QuoteService>
    open(const std::string& path, quoting::Platform platform, quoting::QuoteVersion version);
    ~QuoteService();
    QuoteService(QuoteService&&) noexcept;
    QuoteService& operator=(QuoteService&&) = delete;

  private:
    class Server;
    explicit QuoteService(std::unique_ptr<Server> server);

    std::unique_ptr<Server> server_;
};

} // namespace tdshim::td_emu
