// SPDX-License-Identifier: Apache-2.0
//
// What is said to a quoting service on its socket: four bytes of length, big-endian, and one
// message, little-endian [Intel confidential-computing.tee.dcap, QuoteGeneration/quote_wrapper/
// qgs_msg_lib/inc/qgs_msg_lib.h; QEMU target/i386/kvm/tdx-quote-generator.c].
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "shim/base/bytes.hpp"

namespace tdshim::quoting {

/// Longer than any message of a service's.
inline constexpr std::size_t max_message_size = std::size_t{128} << 10;

/// Asks for a quote of that report, by whatever key the service has.
[[nodiscard]] std::vector<std::byte> quote_request(Bytes report);

/// The report in a request. Errors are sentences.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> report_of_request(Bytes message);

/// Answers with a quote, or with an error of the service's: not 0.
[[nodiscard]] std::vector<std::byte> quote_response(Bytes quote);
[[nodiscard]] std::vector<std::byte> error_response(std::uint32_t error);

/// The quote in a response. Errors are sentences: the service's own error among them.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> quote_of_response(Bytes message);

/// A message with its length, whole, from or to a socket that blocks. Errors are sentences.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> receive_message(int socket);
[[nodiscard]] std::expected<void, std::string> send_message(int socket, Bytes message);

/// What a service on `socket` answers to a request for a quote of `report`.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> ask_for_quote(int socket,
                                                                               Bytes report);

} // namespace tdshim::quoting
