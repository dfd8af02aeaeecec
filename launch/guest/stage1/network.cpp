// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launch/guest/stage1/files.hpp"

namespace tdshim::stage1 {
namespace {

constexpr unsigned tries_in_second = 20;

/// For ioctls.
class Socket {
  public:
    Socket() : number_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    ~Socket() { ::close(number_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    template <class Request>
    Step<> call(unsigned long command, Request& request, const std::string& what) const {
        if (::ioctl(number_, command, &request) != 0)
            return system_error(what);
        return {};
    }

  private:
    int number_;
};

ifreq request_for(const std::string& card) {
    ifreq request{};
    card.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
    return request;
}

void set_address(sockaddr& place, const std::array<std::uint8_t, 4>& bytes) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&place, &address, sizeof(place));
}

std::array<std::uint8_t, 4> mask_of(unsigned bits) {
    std::array<std::uint8_t, 4> mask{};
    for (unsigned i = 0; i < bits; ++i)
        mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | 0x80 >> i % 8);
    return mask;
}

Step<> bring_up(const Socket& socket, const std::string& card) {
    ifreq request = request_for(card);
    request.ifr_flags = IFF_UP;
    return socket.call(SIOCSIFFLAGS, request, card);
}

std::string await_card(unsigned seconds) {
    for (unsigned i = 0; i < seconds * tries_in_second; ++i) {
        std::vector<std::string> cards = names_in("/sys/class/net");
        std::erase(cards, "lo");
        if (!cards.empty())
            return cards.front();
        ::usleep(1'000'000 / tries_in_second);
    }
    return {};
}

} // namespace

Step<> start_loopback() {
    return bring_up(Socket(), "lo");
}

Step<> start_network(const guest::Network& network, unsigned seconds) {
    const std::string card = await_card(seconds);
    if (card.empty())
        return std::unexpected("there is no network card for stage1.network=");
    const Socket socket;
    ifreq request = request_for(card);
    set_address(request.ifr_addr, network.address);
    TRY(socket.call(SIOCSIFADDR, request, card + ": address"));
    set_address(request.ifr_netmask, mask_of(network.prefix));
    TRY(socket.call(SIOCSIFNETMASK, request, card + ": network"));
    TRY(bring_up(socket, card));
    if (!network.gateway)
        return {};
    rtentry route{};
    set_address(route.rt_dst, {});
    set_address(route.rt_genmask, {});
    set_address(route.rt_gateway, *network.gateway);
    route.rt_flags = RTF_UP | RTF_GATEWAY;
    return socket.call(SIOCADDRT, route, card + ": gateway");
}

} // namespace tdshim::stage1
