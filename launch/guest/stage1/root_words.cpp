// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/root_words.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

namespace tdshim::guest {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t hashes_in_block = Verity::block_size / 32;
/// A disk of 2^50 bytes: what follows from it cannot overflow.
constexpr std::uint64_t max_data_blocks = std::uint64_t{1} << 38;

constexpr std::uint64_t max_wait_seconds = 3600;

constexpr std::array storages{std::pair{Storage::none, "none"sv}, std::pair{Storage::ram, "ram"sv},
                              std::pair{Storage::overlay, "overlay"sv}};

/// As far as they were seen.
struct Words {
    std::optional<Sha256> root_hash;
    std::optional<Sha256> salt;
    std::optional<std::uint64_t> data_blocks;
    std::optional<Storage> storage;
    std::optional<std::string> init;
    std::optional<bool> checks_all;
    std::optional<std::uint64_t> wait_seconds;
    std::optional<bool> extends_rtmr2;
    std::optional<Network> network;
};

std::string hex_of(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte >> 4)];
        text += digits[std::to_integer<unsigned>(byte & std::byte{15})];
    }
    return text;
}

std::optional<unsigned> digit_of(char character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return std::nullopt;
}

std::optional<Sha256> parse_hash(std::string_view text) {
    Sha256 hash{};
    if (text.size() != 2 * hash.size())
        return std::nullopt;
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const auto high = digit_of(text[2 * i]);
        const auto low = digit_of(text[2 * i + 1]);
        if (!high || !low)
            return std::nullopt;
        hash[i] = static_cast<std::byte>(*high << 4 | *low);
    }
    return hash;
}

/// Decimal, without a sign or a leading zero, from 1 on.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.starts_with('0') ||
        number > most)
        return std::nullopt;
    return number;
}

std::optional<Storage> parse_storage(std::string_view text) {
    const auto* const found =
        std::ranges::find(storages, text, &std::pair<Storage, std::string_view>::second);
    return found == storages.end() ? std::nullopt : std::optional(found->first);
}

/// One of two words.
std::optional<bool> parse_choice(std::string_view text, std::string_view yes, std::string_view no) {
    if (text != yes && text != no)
        return std::nullopt;
    return text == yes;
}

std::optional<std::string> parse_init(std::string_view text) {
    return text.starts_with('/') ? std::optional(std::string(text)) : std::nullopt;
}

/// The sentence of what is wrong; empty where nothing is.
template <class Value>
std::string take(std::optional<Value>& value, std::string_view key, std::optional<Value> parsed,
                 std::string_view expected) {
    if (value)
        return std::string(key) + " is there twice";
    if (!parsed)
        return std::string(key) + ": expected " + std::string(expected);
    value = std::move(parsed);
    return {};
}

std::string take_word(Words& words, std::string_view word) {
    constexpr std::string_view hash = "64 hexadecimal digits in small letters";
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string_view key = word.substr(0, equals);
    const std::string_view text = word.substr(std::min(equals + 1, word.size()));
    if (key == "roothash")
        return take(words.root_hash, key, parse_hash(text), hash);
    if (key == "stage1.salt")
        return take(words.salt, key, parse_hash(text), hash);
    if (key == "stage1.data_blocks")
        return take(words.data_blocks, key, parse_number(text, max_data_blocks),
                    "a decimal number of blocks, 1 to 2^38");
    if (key == "stage1.storage")
        return take(words.storage, key, parse_storage(text), "none, ram or overlay");
    if (key == "stage1.init")
        return take(words.init, key, parse_init(text), "an absolute path");
    if (key == "stage1.check")
        return take(words.checks_all, key, parse_choice(text, "all", "used"), "all or used");
    if (key == "stage1.measure")
        return take(words.extends_rtmr2, key, parse_choice(text, "rtmr2", "none"), "rtmr2 or none");
    if (key == "stage1.wait")
        return take(words.wait_seconds, key, parse_number(text, max_wait_seconds),
                    "a decimal number of seconds, 1 to 3600");
    if (key == "stage1.network")
        return take(words.network, key, parse_network(text),
                    "ADDRESS/BITS or ADDRESS/BITS,GATEWAY, such as 10.0.2.15/24,10.0.2.2");
    return key.starts_with("stage1.") ? std::string(key) + " is no word of stage 1's"
                                      : std::string();
}

using Address = std::array<std::uint8_t, 4>;

/// Four decimal numbers, without zeros in front, that other readers take for octal.
std::optional<Address> parse_address(std::string_view text) {
    Address address{};
    for (std::size_t i = 0; i < address.size(); ++i) {
        const std::size_t size = std::min(text.find('.'), text.size());
        const std::string_view part = text.substr(0, size);
        const auto number = part == "0" ? std::optional<std::uint64_t>(0) : parse_number(part, 255);
        if (!number || (size == text.size()) != (i + 1 == address.size()))
            return std::nullopt;
        address[i] = static_cast<std::uint8_t>(*number);
        text.remove_prefix(std::min(size + 1, text.size()));
    }
    return address;
}

std::string text_of(const Address& address) {
    std::string text;
    for (const std::uint8_t part : address)
        text += (text.empty() ? "" : ".") + std::to_string(part);
    return text;
}

std::string text_of(const Network& network) {
    return text_of(network.address) + "/" + std::to_string(network.prefix) +
           (network.gateway ? "," + text_of(*network.gateway) : "");
}

bool is_blank(char character) {
    return character == ' ' || (character >= '\t' && character <= '\r');
}

} // namespace

std::string_view word_of(Storage storage) {
    return std::ranges::find(storages, storage, &std::pair<Storage, std::string_view>::first)
        ->second;
}

std::uint64_t tree_blocks(std::uint64_t data_blocks) {
    std::uint64_t blocks = 0;
    for (std::uint64_t level = data_blocks; level > 1;) {
        level = (level + hashes_in_block - 1) / hashes_in_block;
        blocks += level;
    }
    return blocks;
}

std::string words_of(const Root& root) {
    std::string text = "roothash=" + hex_of(root.verity.root_hash) +
                       " stage1.data_blocks=" + std::to_string(root.verity.data_blocks) +
                       " stage1.salt=" + hex_of(root.verity.salt);
    if (root.storage != Root{}.storage)
        text += " stage1.storage=" + std::string(word_of(root.storage));
    if (root.init != Root{}.init)
        text += " stage1.init=" + root.init;
    if (root.checks_all)
        text += " stage1.check=all";
    if (root.wait_seconds != Root{}.wait_seconds)
        text += " stage1.wait=" + std::to_string(root.wait_seconds);
    if (root.extends_rtmr2)
        text += " stage1.measure=rtmr2";
    if (root.network)
        text += " stage1.network=" + text_of(*root.network);
    return text;
}

std::optional<Network> parse_network(std::string_view text) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view own = text.substr(0, comma);
    const std::size_t slash = std::min(own.find('/'), own.size());
    const auto address = parse_address(own.substr(0, slash));
    const auto prefix = parse_number(own.substr(std::min(slash + 1, own.size())), 32);
    if (!address || !prefix)
        return std::nullopt;
    Network network{.address = *address, .prefix = static_cast<std::uint8_t>(*prefix)};
    if (comma == text.size())
        return network;
    network.gateway = parse_address(text.substr(comma + 1));
    return network.gateway ? std::optional(network) : std::nullopt;
}

std::string measured_text(const Root& root) {
    return "stage1 " TDSHIM_VERSION " " + words_of(root);
}

std::expected<Root, std::string> root_of(std::string_view command_line) {
    Words words;
    while (!command_line.empty()) {
        const std::size_t size = static_cast<std::size_t>(
            std::ranges::find_if(command_line, is_blank) - command_line.begin());
        if (const std::string wrong = take_word(words, command_line.substr(0, size));
            !wrong.empty())
            return std::unexpected(wrong);
        command_line.remove_prefix(std::min(size + 1, command_line.size()));
    }
    for (const auto& [is_there, key] :
         {std::pair{words.root_hash.has_value(), "roothash"},
          std::pair{words.data_blocks.has_value(), "stage1.data_blocks"},
          std::pair{words.salt.has_value(), "stage1.salt"}})
        if (!is_there)
            return std::unexpected(std::string(key) + " is missing on the command line");
    return Root{.verity = {*words.root_hash, *words.salt, *words.data_blocks},
                .storage = words.storage.value_or(Root{}.storage),
                .init = words.init.value_or(Root{}.init),
                .checks_all = words.checks_all.value_or(Root{}.checks_all),
                .wait_seconds =
                    static_cast<std::uint32_t>(words.wait_seconds.value_or(Root{}.wait_seconds)),
                .extends_rtmr2 = words.extends_rtmr2.value_or(Root{}.extends_rtmr2),
                .network = words.network};
}

Table table_of(const Verity& verity, std::string_view device, bool panics) {
    const std::string blocks = std::to_string(verity.data_blocks);
    const std::string size = std::to_string(Verity::block_size);
    // version, data device, tree's device, block sizes, data blocks, where the tree begins, ...
    return {.sectors = verity.data_blocks * (Verity::block_size / 512),
            .parameters = "1 " + std::string(device) + ' ' + std::string(device) + ' ' + size +
                          ' ' + size + ' ' + blocks + ' ' + blocks + " sha256 " +
                          hex_of(verity.root_hash) + ' ' + hex_of(verity.salt) +
                          (panics ? " 1 panic_on_corruption" : "")};
}

} // namespace tdshim::guest
