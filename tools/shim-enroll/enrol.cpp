// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-enroll/enrol.hpp"

#include <iostream>
#include <optional>

#include "shim/formats/cfv/builder.hpp"
#include "shim/formats/cfv/volume.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "shim/plan/payload_files.hpp"
#include "shim/verify/payload.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/igvm/file.hpp"
#include "tools/shim-enroll/contents.hpp"
#include "tools/shim-enroll/wishes.hpp"
#include "tools/signing/enrolment_text.hpp"
#include "tools/signing/firmware_volume.hpp"

namespace tdshim::tools {
namespace {

/// What an owner may expect of what is enrolled, and does not get.
std::vector<std::string> notes_of(const Contents& contents, tdvf::AmlPolicy aml) {
    std::vector<std::string> notes;
    if (!contents.pinned.empty() && contents.policy != cfv::Policy::signed_and_pinned)
        notes.push_back(std::format("policy {}: pinned payloads decide nothing (--policy "
                                    "signed-and-pinned makes them)",
                                    cfv::name_of(contents.policy)));
    if (!contents.aml.empty() && aml != tdvf::AmlPolicy::enrolled)
        notes.push_back(std::format("the image is linked with --aml {}: enrolled tables decide "
                                    "nothing (shim-ld --aml enrolled makes them)",
                                    tdvf::name_of(aml)));
    if (contents.policy != cfv::Policy::measured)
        return notes;
    if (!contents.keys.empty())
        notes.emplace_back(
            "policy measured: no signature is demanded; keys, their minimum SVNs and "
            "kinds hold for what is signed alone (--policy signed demands one)");
    if (!contents.revoked_keys.empty())
        notes.emplace_back("policy measured: a revoked key stops what it signed, not the same "
                           "payload without the signature, nor with another's (--policy signed "
                           "does, and --revoke of that payload)");
    if (!contents.revoked.empty())
        notes.emplace_back("policy measured: a revoked payload is stopped by its digest; one with "
                           "any byte changed runs (--policy signed stops that)");
    return notes;
}

Outcome<> write_volume(const EnrolOptions& options, const Contents& contents, MutableBytes volume) {
    std::optional<crypto::Digest> anchor;
    if (!contents.keys.empty())
        anchor = contents.keys[0].key;
    std::optional<cfv::PolicyContents> policy;
    if (!is_plain_anchor(contents) || options.refuses_td_shim_numbering)
        policy = cfv::PolicyContents{.policy = contents.policy,
                                     .takes_td_shim_numbering = contents.takes_td_shim_numbering,
                                     .keys = contents.keys,
                                     .revoked_keys = contents.revoked_keys,
                                     .revoked_payloads = contents.revoked,
                                     .pinned_payloads = contents.pinned,
                                     .aml_tables = contents.aml};
    return of_file(options.firmware, cfv::write(volume, anchor, policy));
}

struct NewContents {
    Contents contents;
    std::optional<Contents> before{};  ///< what was enrolled, if that could be read
    std::vector<std::string> unread{}; ///< else why not
};

Outcome<NewContents> contents_for(const EnrolOptions& options, Bytes volume) {
    const Wishes wishes = TRY(wishes_of(options));
    if (options.kinds && wishes.keys.empty())
        return std::unexpected(
            failure("--for", "says what the keys of --key are good for, and none is given"));
    if (cfv::is_blank(volume)) {
        if (options.changes)
            return std::unexpected(failure(
                options.firmware, "nothing is enrolled that --change could add to: leave it out"));
        return NewContents{.contents = contents_of(options, wishes)};
    }
    if (!options.changes && !options.replaces)
        return std::unexpected(failure(options.firmware,
                                       "its configuration volume is in use (--change adds to what "
                                       "is enrolled, --replace writes everything anew)"));
    const auto enrolment = cfv::parse(volume);
    if (!enrolment && options.replaces) // whatever it is
        return NewContents{.contents = contents_of(options, wishes),
                           .unread = {"all that was enrolled, which could not be read: " +
                                      failure("configuration volume", enrolment.error()).text}};
    const Contents before = contents_of(TRY(of_file(options.firmware, enrolment)));
    return NewContents{.contents = options.changes ? TRY(changed(before, options, wishes))
                                                   : contents_of(options, wishes),
                       .before = before};
}

/// Nobody wants an image that runs nothing, whichever word it was that came to it.
Outcome<> check_that_something_runs(const EnrolOptions& options, const NewContents& made) {
    const Contents& contents = made.contents;
    const bool had_keys = options.changes && made.before && !made.before->keys.empty();
    const bool had_pins = options.changes && made.before && !made.before->pinned.empty();
    if (contents.policy != cfv::Policy::measured && contents.keys.empty())
        return std::unexpected(
            had_keys
                ? failure("--revoke-key",
                          std::format("no key would be left, and under policy {} nothing could "
                                      "boot: enrol the next one in the same step, --key FILE "
                                      "(or --policy measured)",
                                      cfv::name_of(contents.policy)))
                : failure("--policy", "signed, which it is where it is not given, runs nothing "
                                      "without a key: give --key, or --policy measured"));
    if (contents.policy == cfv::Policy::signed_and_pinned && contents.pinned.empty())
        return std::unexpected(
            had_pins
                ? failure("--revoke", "no pinned payload would be left, and under policy "
                                      "signed-and-pinned nothing could boot: pin the next one in "
                                      "the same step, --pin FILE (or --policy signed)")
                : failure("--policy", "signed-and-pinned runs nothing without a pinned payload: "
                                      "give --pin, or --policy signed"));
    return {};
}

/// What --change leaves as it is, and an owner may not know of.
void note_numbering(std::vector<std::string>& notes, const EnrolOptions& options,
                    const NewContents& made) {
    if (options.changes && made.contents.takes_td_shim_numbering &&
        !options.takes_td_shim_numbering)
        notes.emplace_back(
            "td-shim's numbering of the algorithms is still taken (--document-numbering ends it)");
}

/// Revocations that were meant for something else, most likely.
void note_revocations(std::vector<std::string>& notes, const EnrolOptions& options,
                      const NewContents& made) {
    const std::vector<cfv::KeyEntry> none;
    const auto& before = made.before ? made.before->keys : none;
    const auto is_key = [&](const crypto::Digest& digest) {
        return std::ranges::contains(before, digest, &cfv::KeyEntry::key) ||
               std::ranges::contains(made.contents.keys, digest, &cfv::KeyEntry::key);
    };
    for (const crypto::Digest& digest : made.contents.revoked)
        if (is_key(digest))
            notes.push_back(std::format("revoked payload {} is the hash of a key, which "
                                        "--revoke-key revokes",
                                        hex(digest)));
    if (!made.before || !options.changes)
        return;
    for (const crypto::Digest& digest : made.contents.revoked_keys)
        if (!is_key(digest) && !std::ranges::contains(made.before->revoked_keys, digest))
            notes.push_back(
                std::format("revoked key {} was not enrolled: it is the hash of a key as "
                            "shim-info shows it, or of its file in PEM",
                            hex(digest)));
}

/// That the image's own payload would be refused, by the firmware's own decision.
void note_payload(std::vector<std::string>& notes, Bytes image, const tdvf::ImageInfo& info,
                  const cfv::Enrolment& enrolment) {
    const std::uint64_t from_end = info.payload_from_end;
    if (info.payload_size == 0 || from_end > image.size() || info.payload_size > from_end)
        return;
    const Bytes payload = image.subspan(image.size() - from_end, info.payload_size);
    const auto kind = plan::kind_of_file(payload);
    if (!kind)
        return;
    crypto::SignatureMemory memory;
    const auto decided =
        verify::check_payload(enrolment, payload, verify::kind_of(*kind), memory.bytes);
    if (!decided)
        notes.push_back("the firmware would refuse it: " +
                        failure("payload in the image", decided.error()).text);
}

/// By what the volume says now, as the firmware reads it.
std::vector<std::string> lost_by(const NewContents& made, const cfv::Enrolment& enrolment) {
    return made.before ? lost_between(*made.before, contents_of(enrolment)) : made.unread;
}

void report(const EnrolOptions& options, const NewContents& made, const cfv::Enrolment& enrolment,
            Bytes image) {
    const std::optional<tdvf::ImageInfo> info = tdvf::find_image_info(image).value_or(std::nullopt);
    auto notes = notes_of(made.contents,
                          info ? tdvf::aml_policy_of(info->options) : tdvf::AmlPolicy::measured);
    if (info)
        note_payload(notes, image, *info, enrolment);
    note_numbering(notes, options, made);
    note_revocations(notes, options, made);
    const auto lost = lost_by(made, enrolment);
    if (options.json) {
        print_json("shim-enroll/1", {{"image", options.output},
                                     {"enrolment", json_of(enrolment)},
                                     {"no_longer", lost},
                                     {"notes", notes}});
        return;
    }
    std::cout << options.output << ": " << table_of(enrolment);
    for (const std::string& line : lost)
        std::cout << "no longer: " << line << '\n';
    for (const std::string& note : notes)
        std::cout << "note: " << note << '\n';
}

} // namespace

Outcome<ExitCode> enrol(const EnrolOptions& options) {
    auto image = TRY(read_file(options.firmware));
    if (igvm::has_magic(image))
        return std::unexpected(failure(options.firmware,
                                       "is an IGVM file; keys are enrolled into a "
                                       "flat image (shim-ld --image-format tdvf)"));
    const VolumePlace place = TRY(require_volume(image, options.firmware));
    const MutableBytes volume = MutableBytes(image).subspan(place.offset, place.size);
    const NewContents made = TRY(contents_for(options, volume));
    TRY(check_that_something_runs(options, made));
    TRY(write_volume(options, made.contents, volume));
    const auto enrolment = TRY(of_file(options.firmware, cfv::parse(volume)));
    TRY(of_file(options.firmware, tdvf::find_image_info(image)));
    TRY(write_file(options.output, image));
    report(options, made, enrolment, image);
    return ExitCode::good;
}

} // namespace tdshim::tools
