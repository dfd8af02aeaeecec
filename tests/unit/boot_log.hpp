// SPDX-License-Identifier: Apache-2.0
//
// The log of a boot as the firmware writes it, with what a TD's report and a policy would have
// beside it, and what an OS appends.
#pragma once

#include <string_view>
#include <vector>

#include "shim/formats/event_log/writer.hpp"
#include "tests/unit/support.hpp"
#include "tools/measurements/comparison.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::test {

/// Grows event by event; `log`, `td` and `policy` agree with each other.
class BootLog {
  public:
    BootLog(BootLog&&) = default;
    BootLog() : writer_(area_) {
        td_.source = "TDREPORT";
        td_.info.attributes = std::uint64_t{1} << 28; // SEPT_VE_DISABLE
        td_.info.xfam = 0xE7;
        td_.info.mrtd.fill(std::byte{0x17});
        policy_.attributes = td_.info.attributes;
        policy_.xfam = td_.info.xfam;
        policy_.mrtd = td_.info.mrtd;
    }

    /// By the firmware, which the policy expects.
    BootLog& add(const measure::Measurement& measurement) {
        const std::uint32_t index = event_log::mr_index_of_rtmr(measurement.rtmr);
        REQUIRE(writer_.append(index, measurement.type, measurement.digest, measurement.head(),
                               measurement.body));
        std::vector<std::byte> data = copy_of(measurement.head());
        data.append_range(measurement.body);
        const event_log::Event event{0, index, measurement.type, measurement.digest, data};
        policy_.events.push_back({.rtmr = measurement.rtmr,
                                  .type = static_cast<std::uint32_t>(measurement.type),
                                  .description = tools::summarise(event).description,
                                  .digest = measurement.digest,
                                  .size = measurement.hashed,
                                  .origin = "a file"});
        extend(measurement.rtmr, measurement.digest);
        if (measurement.rtmr < 2)
            policy_.rtmr[measurement.rtmr] = td_.info.rtmr[measurement.rtmr];
        return *this;
    }

    /// By the OS, behind all that the header announces.
    BootLog& append(std::uint32_t rtmr, std::uint32_t type, std::string_view data) {
        return append(rtmr, type, data, crypto::sha384(bytes_of(data)));
    }
    BootLog& append(std::uint32_t rtmr, std::uint32_t type, std::string_view data,
                    const crypto::Digest& digest) {
        appended_.u32(rtmr + 1).u32(type).u32(1).u16(0x0C).bytes(digest);
        appended_.u32(data.size()).text(data);
        extend(rtmr, digest);
        return *this;
    }

    /// The events and `tail` bytes of the unused area.
    [[nodiscard]] Blob log(std::size_t tail = 0, unsigned filled_with = 0xFF) const {
        Blob log;
        log.bytes(Bytes(area_).first(writer_.used())).bytes(appended_.view());
        return log.fill(tail, filled_with);
    }
    [[nodiscard]] const tools::TdRegisters& td() const { return td_; }
    [[nodiscard]] const tools::Policy& policy() const { return policy_; }

  private:
    void extend(std::uint32_t rtmr, const crypto::Digest& digest) {
        REQUIRE(bank_.extend(rtmr, digest));
        td_.info.rtmr[rtmr] = bank_.value(rtmr);
    }
    std::vector<std::byte> area_ = std::vector<std::byte>(16384); // the writer refers to it
    event_log::LogWriter writer_;
    Blob appended_;
    measure::RegisterBank bank_;
    tools::TdRegisters td_;
    tools::Policy policy_;
};

inline measure::FileDigest file(std::string_view content) {
    return measure::digest_of(bytes_of(content));
}

inline constexpr std::uint32_t ev_event_tag = 6;
inline constexpr std::uint32_t ev_compact_hash = 0xC;
inline constexpr std::string_view bundle_contents =
    "td_payload_svn td_payload=bzimage td_bundle td_initrd td_payload_info rtmr2=1 rtmr3=2";

/// A signed bundle's boot in a TD: every kind of event that the firmware has.
inline BootLog bundle_boot() {
    using namespace measure;
    constexpr auto named = Digests::named;
    BootLog boot;
    boot.add(td_hob(bytes_of(std::string_view("a HOB list"))))
        .add(configuration(accept_descriptor, bytes_of(std::string_view("lazy"))))
        .add(secure_policy(bytes_of(std::string_view("policy")), named))
        .add(configuration_file("etc/table-loader", Gpa{0x7000000}, bytes_of(bundle_contents)))
        .add(configuration_file("etc/acpi/tables", Gpa{0x7001000}, bytes_of(bundle_contents)))
        .add(secure_authority(bytes_of(std::string_view("key")), named))
        .add(contents(bytes_of(bundle_contents)))
        .add(payload_svn(5, named))
        .add(kernel(Gpa{0x1000000}, file("kernel")))
        .add(bundle_manifest(bytes_of(std::string_view("tdshim-bundle 1\n"))))
        .add(initrd(Gpa{0x3000000}, file("initrd")))
        .add(command_line(bytes_of(std::string_view("console=ttyS0"))))
        .add(bundle_event(2, event_log::EventType::event_tag,
                          bytes_of(std::string_view("TDSH\2\0\0\0\xAB\xCD", 10))))
        .add(bundle_event(3, event_log::EventType::ipl,
                          bytes_of(std::string_view("\"os-image-identity\":{}\0", 23))))
        .add(bundle_event(3, event_log::EventType::ipl, bytes_of(std::string_view("two\0", 4))))
        .add(separator(0))
        .add(separator(1));
    return boot;
}

/// The same when an OS has appended to it, or a payload with our runtime.
inline BootLog running_bundle() {
    BootLog boot = bundle_boot();
    boot.append(3, static_cast<std::uint32_t>(event_log::EventType::ipl), "of the OS")
        .append(2, ev_event_tag, "whose digest is of more", file("more").digest)
        .append(2, ev_event_tag, std::string_view("TDSH\4\0\0\0mine", 12))
        .append(3, ev_compact_hash, "x");
    return boot;
}

/// A boot that ended for a reason.
inline BootLog refused_boot() {
    using namespace measure;
    BootLog boot;
    boot.add(td_hob(bytes_of(std::string_view("a HOB list"))))
        .add(contents(bytes_of(std::string_view("td_payload=bzimage td_initrd td_payload_info"))))
        .add(kernel(Gpa{0x1000000}, file("kernel")))
        .add(error_separator(0, "initrd: too large"))
        .add(error_separator(1, "initrd: too large"));
    return boot;
}

} // namespace tdshim::test
