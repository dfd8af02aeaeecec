// SPDX-License-Identifier: Apache-2.0
//
// Sockets of a guest's: to who asked for evidence, and to a quoting service on the host. Addresses
// are numbers: a static program has no resolver.
#pragma once

#include <string>

#include "shim/base/bytes.hpp"
#include "tools/common/descriptor.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Whether connect_to() can read it. Errors name it.
[[nodiscard]] Outcome<> check_place(const std::string& place);

/// Connects to "tcp:ADDRESS:PORT" (IPv4, or IPv6 in brackets), "vsock:PORT" (on the host) or
/// "vsock:CID:PORT". Who is silent there for a minute is given up. Errors name it.
[[nodiscard]] Outcome<Descriptor> connect_to(const std::string& place);

/// Connects, sends all of `bytes`, and waits until the other side has closed the connection behind
/// them: then it took them all. What it says meanwhile is not read on.
[[nodiscard]] Outcome<> send_to(const std::string& place, Bytes bytes);

} // namespace tdshim::tools
