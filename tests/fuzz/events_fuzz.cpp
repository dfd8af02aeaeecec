// SPDX-License-Identifier: Apache-2.0
//
// Events files: what is taken can be handed out to the end, the same each time, with registers in
// their order and data within its bound. The input is tried as a file, and as the data of lines of
// each kind, where it reaches their parsers.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "shim/formats/bundle/events.hpp"

using namespace tdshim;
using event_log::EventType;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_event(const bundle::Event& event) {
    require(event.rtmr == 2 || event.rtmr == 3);
    require(!event.data.empty());
    const bool is_string = event.type == EventType::ipl;
    require(is_string || (event.type == EventType::event_tag && !event.names_signer));
    if (!is_string) {
        const auto tag = read_at<event_log::TaggedEvent>(event.data.view(), 0);
        require(tag && tag->id == event_log::tag_of_ours && tag->size > 0);
        require(sizeof(*tag) + tag->size == event.data.size());
    }
    if (is_string) {
        require(std::ranges::count(event.data, std::byte{0}) == 1);
        require(event.data.view().back() == std::byte{0});
    }
    require(!event.names_signer || event.data.size() > 2 * crypto::sha384_size);
}

bool check_file(Bytes text, bool has_signer) {
    const auto file = bundle::EventsFile::parse(text, has_signer);
    if (!file)
        return false;
    require(file->size() <= bundle::max_events);
    require(text.empty() || text.back() == std::byte{'\n'});
    crypto::Digest signer;
    signer.fill(std::byte{0xAB});
    bundle::EventsReader reader(*file, has_signer ? &signer : nullptr);
    bundle::Event event;
    std::size_t count = 0;
    std::uint32_t last = 0;
    for (auto more = reader.next(event); !more || *more; more = reader.next(event)) {
        require(more.has_value());
        check_event(event);
        require(event.rtmr >= last && (has_signer || !event.names_signer));
        last = event.rtmr;
        ++count;
    }
    require(count == file->size());
    return true;
}

void check_text(const std::string& text) {
    const bool is_good = check_file(bytes_of(text), false);
    // A signer only adds to what is taken.
    require(check_file(bytes_of(text), true) || !is_good);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    check_text(input);
    for (const std::string start :
         {"RTMR2:string:", "RTMR3:binary:", R"(PCR11:string:"os-image-identity":{"signer":)",
          R"(PCR11:string:"os-image-identity":{"svn":"1",)"})
        check_text(start + input + "\n");
    check_text("RTMR2:string:a%SIGNER%" + input + "\nRTMR3:string:b\n");
    return 0;
}
