// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/quotes.hpp"

#include <algorithm>
#include <cstdio>
#include <span>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/quoting/service_messages.hpp"

namespace tdshim::td_emu {

using tdx_model::QuoteAnswer;

namespace {

int connect_to(const std::string& path) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::ranges::copy(path, std::begin(address.sun_path));
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket >= 0 &&
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
        return socket;
    ::close(socket);
    return -1;
}

QuoteAnswer ask(const std::string& path, Bytes report) {
    const int socket = connect_to(path);
    if (socket < 0)
        return {};
    auto quote = quoting::ask_for_quote(socket, report);
    ::close(socket);
    if (!quote)
        std::fprintf(stderr, "td-emu: GetQuote: %s\n", quote.error().c_str());
    return {.status = quote ? tdx_model::quote_made : tdx_model::quote_error,
            .quote = quote ? std::move(*quote) : std::vector<std::byte>{},
            .said_size = {}};
}

void spoil(QuoteAnswer& answer, const QuoteFault& fault) {
    if (fault.status)
        answer.status = *fault.status;
    answer.calls_in_flight = fault.in_flight;
    answer.said_size = fault.size;
    if (!fault.content.empty())
        answer.quote = fault.content;
    const std::size_t end = fault.offset + fault.bytes.size();
    if (!fault.bytes.empty() && end > answer.quote.size())
        answer.quote.resize(end);
    std::ranges::copy(fault.bytes,
                      answer.quote.begin() +
                          static_cast<std::ptrdiff_t>(fault.bytes.empty() ? 0 : fault.offset));
}

} // namespace

QuoteAnswer Quotes::quote(Bytes report) {
    const std::lock_guard lock(mutex_);
    ++asked_;
    QuoteAnswer answer = ask(socket_, report);
    for (const QuoteFault& fault : faults_)
        if (fault.turn.has(asked_))
            spoil(answer, fault);
    return answer;
}

} // namespace tdshim::td_emu
