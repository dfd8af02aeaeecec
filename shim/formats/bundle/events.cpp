// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/bundle/events.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "shim/formats/bundle/rest.hpp"

namespace tdshim::bundle {
namespace {

using event_log::EventType;

struct Register {
    std::string_view word;
    std::uint32_t rtmr;
};
// PCR 11 is where cvmboot, and systemd's stub, measure what the image's maker says of it.
constexpr std::array registers{Register{"RTMR2:", 2}, Register{"RTMR3:", 3}, Register{"PCR11:", 2}};

constexpr std::string_view string_word = "string:";
constexpr std::string_view binary_word = "binary:";
constexpr std::string_view signer_token = "%SIGNER%";
/// With its NUL readers take it for the first letter of a text in UTF-16, and find none.
constexpr std::string_view utf16_word = ".";
/// A string that begins so is rewritten with the signer in it, as cvmboot does.
constexpr std::string_view identity_word = "\"os-image-identity\":";

/// The line at the front of `rest` without its end, and with it taken off.
Result<Rest> take_line(Rest& rest) {
    const std::size_t size = rest.text.find('\n');
    if (size == std::string_view::npos)
        return refuse(Fault::events_no_line_end, rest.at + rest.text.size());
    const Rest line{.text = rest.text.substr(0, size), .at = rest.at};
    const auto bad = std::ranges::find_if(line.text, [](char c) { return c < ' ' || c > '~'; });
    if (bad != line.text.end())
        return refuse(Fault::events_character,
                      line.at + static_cast<std::size_t>(bad - line.text.begin()));
    if (line.text.ends_with(' '))
        return refuse(Fault::events_blank, line.at + size - 1);
    rest.skip(size + 1);
    return line;
}

/// Makes the data of an event, no more of it than an event may have.
class Data {
  public:
    /// `at`: of the line's data in the file.
    Data(Event& event, std::size_t at) : event_(event), at_(at) {}

    Result<void> put(std::byte byte) {
        if (!event_.data.push(byte))
            return refuse(Fault::events_data_size, at_, max_event_data, max_event_data + 1);
        return {};
    }
    Result<void> put(std::string_view text) {
        for (const std::byte byte : bytes_of(text))
            TRY(put(byte));
        return {};
    }
    Result<void> put(const event_log::TaggedEvent& tag) {
        for (const std::byte byte : bytes_of(tag))
            TRY(put(byte));
        return {};
    }
    /// The signer in lower-case hexadecimal digits.
    Result<void> put_signer(const crypto::Digest* signer) {
        constexpr std::string_view digits = "0123456789abcdef";
        if (signer == nullptr)
            return refuse(Fault::events_no_signer, at_);
        event_.names_signer = true;
        for (const std::byte byte : *signer) {
            const auto value = std::to_integer<unsigned>(byte);
            TRY(put(digits.substr(value >> 4, 1)));
            TRY(put(digits.substr(value & 0xF, 1)));
        }
        return {};
    }

  private:
    Event& event_;
    std::size_t at_;
};

Result<std::byte> hex_digit(char digit, std::size_t at) {
    if (digit >= '0' && digit <= '9')
        return static_cast<std::byte>(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return static_cast<std::byte>(digit - 'a' + 10);
    return refuse(Fault::events_hex, at);
}

Result<void> make_binary(const Rest& rest, Event& event) {
    Data data(event, rest.at);
    if (rest.text.size() % 2 != 0)
        return refuse(Fault::events_hex, rest.at + rest.text.size());
    TRY(data.put(event_log::tag_of(rest.text.size() / 2)));
    for (std::size_t i = 0; i < rest.text.size(); i += 2) {
        const std::byte high = TRY(hex_digit(rest.text[i], rest.at + i));
        const std::byte low = TRY(hex_digit(rest.text[i + 1], rest.at + i + 1));
        TRY(data.put(high << 4 | low));
    }
    return {};
}

/// The characters of a JSON string without escapes, and the quotation mark that ends it.
Result<std::string_view> take_value(Rest& rest) {
    const std::size_t size = rest.text.find_first_of("\"\\");
    if (size == std::string_view::npos || rest.text[size] == '\\')
        return refuse(Fault::events_identity,
                      rest.at + (size == std::string_view::npos ? rest.text.size() : size));
    const std::string_view value = rest.text.substr(0, size);
    rest.skip(size + 1);
    return value;
}

/// cvmboot's line, whose signer is always the one who signed.
Result<void> make_identity(Rest rest, Event& event, const crypto::Digest* signer) {
    Data data(event, rest.at);
    TRY(data.put(identity_word));
    TRY(data.put("{\"signer\":\""));
    TRY(data.put_signer(signer));
    rest.skip(identity_word.size());
    if (!rest.skip("{"))
        return refuse(Fault::events_identity, rest.at);
    if (rest.skip("\"signer\":\"")) {
        static_cast<void>(TRY(take_value(rest)));
        if (!rest.skip(","))
            return refuse(Fault::events_identity, rest.at);
    }
    TRY(data.put("\""));
    for (const std::string_view name : {"\"svn\":\"", "\"diskId\":\"", "\"eventVersion\":\""}) {
        if (!rest.skip(name))
            return refuse(Fault::events_identity, rest.at);
        const std::string_view value = TRY(take_value(rest));
        TRY(data.put(","));
        TRY(data.put(name));
        TRY(data.put(value));
        TRY(data.put("\""));
        if (!rest.skip(name.starts_with("\"eventVersion") ? "}" : ","))
            return refuse(Fault::events_identity, rest.at);
    }
    if (!rest.text.empty())
        return refuse(Fault::events_identity, rest.at);
    TRY(data.put("}"));
    return data.put(std::byte{0});
}

Result<void> make_string(Rest rest, Event& event, const crypto::Digest* signer) {
    const std::size_t token = rest.text.find(signer_token);
    if (rest.text == utf16_word)
        return refuse(Fault::events_full_stop, rest.at);
    if (rest.text.starts_with(identity_word)) {
        if (token != std::string_view::npos)
            return refuse(Fault::events_signer_twice, rest.at + token);
        return make_identity(rest, event, signer);
    }
    Data data(event, rest.at);
    TRY(data.put(rest.text.substr(0, token)));
    if (token != std::string_view::npos) {
        rest.skip(token + signer_token.size());
        if (const std::size_t again = rest.text.find(signer_token); again != std::string_view::npos)
            return refuse(Fault::events_signer_twice, rest.at + again);
        TRY(data.put_signer(signer));
        TRY(data.put(rest.text));
    }
    return data.put(std::byte{0});
}

Result<void> make_event(Rest line, Event& event, const crypto::Digest* signer) {
    const auto found = std::ranges::find_if(registers, [&](const Register& candidate) {
        return line.text.starts_with(candidate.word);
    });
    if (found == registers.end())
        return refuse(Fault::events_register, line.at);
    line.skip(found->word.size());
    event.rtmr = found->rtmr;
    event.names_signer = false;
    event.data.clear();
    const bool is_string = line.skip(string_word);
    if (!is_string && !line.skip(binary_word))
        return refuse(Fault::events_type, line.at);
    if (line.text.empty())
        return refuse(Fault::events_empty, line.at);
    event.type = is_string ? EventType::ipl : EventType::event_tag;
    return is_string ? make_string(line, event, signer) : make_binary(line, event);
}

} // namespace

Result<EventsFile> EventsFile::parse(Bytes text, bool has_signer) {
    if (text.size() > max_events_file)
        return refuse(Fault::events_size, 0, max_events_file, text.size());
    // Any signer's identity has the same form.
    const crypto::Digest any{};
    EventsReader reader(text, has_signer ? &any : nullptr);
    EventsFile file(text);
    Event event;
    while (TRY(reader.next(event)))
        ++file.size_;
    return file;
}

Result<bool> EventsReader::next(Event& event) {
    const std::string_view text(reinterpret_cast<const char*>(text_.data()), text_.size());
    Rest rest{.text = text.substr(at_), .at = at_};
    while (!rest.text.empty()) {
        const Rest line = TRY(take_line(rest));
        at_ = rest.at;
        if (line.text.empty() || line.text.starts_with('#'))
            continue;
        if (events_ == max_events)
            return refuse(Fault::events_count, line.at, max_events, max_events + 1);
        ++events_;
        TRY(make_event(line, event, signer_));
        if (event.rtmr < last_rtmr_)
            return refuse(Fault::events_order, line.at, last_rtmr_, event.rtmr);
        last_rtmr_ = event.rtmr;
        return true;
    }
    return false;
}

} // namespace tdshim::bundle
