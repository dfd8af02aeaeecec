// SPDX-License-Identifier: Apache-2.0
#include "tools/quoting/service_messages.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <sys/socket.h>

namespace tdshim::quoting {
namespace {

using Content = std::expected<std::vector<std::byte>, std::string>;

constexpr std::uint16_t major_version = 1;
constexpr std::uint16_t minor_version = 1; // some services say 0
constexpr std::uint32_t type_request = 0;
constexpr std::uint32_t type_response = 1;

/// Begins request and response alike.
struct MessageHeader {
    le16 major_version; // 0
    le16 minor_version; // 2
    le32 type;          // 4
    le32 size;          // 8: of the message, with this
    le32 error;         // 12: of a response
    le32 first_size;    // 16: of a request's report, of a response's key
    le32 second_size;   // 20: of a request's list of keys, of a response's quote
};
static_assert(sizeof(MessageHeader) == 24);

std::vector<std::byte> message_of(std::uint32_t type, std::uint32_t error, std::size_t first_size,
                                  std::size_t second_size, Bytes content) {
    const MessageHeader header{
        .major_version = major_version,
        .minor_version = minor_version,
        .type = type,
        .size = static_cast<std::uint32_t>(sizeof(MessageHeader) + content.size()),
        .error = error,
        .first_size = static_cast<std::uint32_t>(first_size),
        .second_size = static_cast<std::uint32_t>(second_size)};
    std::vector<std::byte> message;
    message.append_range(tdshim::bytes_of(header));
    message.append_range(content);
    return message;
}

struct Message {
    MessageHeader header;
    Bytes content;
};

std::expected<Message, std::string> parse(Bytes message, std::uint32_t type) {
    const auto header = read_at<MessageHeader>(message, 0);
    if (!header || header->size != message.size())
        return std::unexpected(
            std::format("expected a message of its own size, found {} bytes", message.size()));
    if (header->major_version != major_version || header->type != type)
        return std::unexpected(std::format(
            "expected a message of version {} and type {}, found version {} and type {}",
            major_version, type, std::uint16_t{header->major_version},
            std::uint32_t{header->type}));
    return Message{*header, message.subspan(sizeof(MessageHeader))};
}

/// All of `bytes`, by `step`, which moves some.
template <class Span, class Step>
std::expected<void, std::string> move_all(Span bytes, Step step) {
    while (!bytes.empty()) {
        const ssize_t moved = step(bytes);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0)
            return std::unexpected(moved == 0 ? std::string("the other side is gone")
                                              : std::string(std::strerror(errno)));
        bytes = bytes.subspan(static_cast<std::size_t>(moved));
    }
    return {};
}

std::expected<void, std::string> receive(int socket, MutableBytes destination) {
    return move_all(destination,
                    [&](MutableBytes left) { return ::recv(socket, left.data(), left.size(), 0); });
}

} // namespace

std::vector<std::byte> quote_request(Bytes report) {
    return message_of(type_request, 0, report.size(), 0, report);
}

Content report_of_request(Bytes bytes) {
    const auto message = parse(bytes, type_request);
    if (!message)
        return std::unexpected(message.error());
    const std::uint64_t size = message->header.first_size;
    if (size > message->content.size())
        return std::unexpected(
            std::format("expected a report of {} bytes, found {}", size, message->content.size()));
    const Bytes report = message->content.first(size);
    return std::vector(report.begin(), report.end());
}

std::vector<std::byte> quote_response(Bytes quote) {
    return message_of(type_response, 0, 0, quote.size(), quote);
}

std::vector<std::byte> error_response(std::uint32_t error) {
    return message_of(type_response, error, 0, 0, {});
}

Content quote_of_response(Bytes bytes) {
    const auto message = parse(bytes, type_response);
    if (!message)
        return std::unexpected(message.error());
    if (message->header.error != 0)
        return std::unexpected(std::format("the quoting service has error {:#x}",
                                           std::uint32_t{message->header.error}));
    const std::uint64_t skipped = message->header.first_size;
    if (skipped + message->header.second_size != message->content.size())
        return std::unexpected(std::format("expected a quote of {} bytes, found {}",
                                           std::uint32_t{message->header.second_size},
                                           message->content.size()));
    const Bytes quote = message->content.subspan(skipped);
    return std::vector(quote.begin(), quote.end());
}

Content receive_message(int socket) {
    std::array<std::byte, 4> length{};
    if (auto received = receive(socket, length); !received)
        return std::unexpected(received.error());
    std::size_t size = 0;
    for (const std::byte byte : length)
        size = size << 8 | std::to_integer<std::size_t>(byte);
    if (size > max_message_size)
        return std::unexpected(std::format("expected a message of at most {} bytes, found {}",
                                           max_message_size, size));
    std::vector<std::byte> message(size);
    if (auto received = receive(socket, message); !received)
        return std::unexpected(received.error());
    return message;
}

std::expected<void, std::string> send_message(int socket, Bytes message) {
    std::vector<std::byte> bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes.push_back(std::byte(message.size() >> shift & 0xFF));
    bytes.append_range(message);
    return move_all(Bytes(bytes), [&](Bytes left) {
        return ::send(socket, left.data(), left.size(), MSG_NOSIGNAL);
    });
}

Content ask_for_quote(int socket, Bytes report) {
    return send_message(socket, quote_request(report))
        .and_then([&] { return receive_message(socket); })
        .and_then([](const std::vector<std::byte>& message) { return quote_of_response(message); });
}

} // namespace tdshim::quoting
