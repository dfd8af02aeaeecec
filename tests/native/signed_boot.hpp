// SPDX-License-Identifier: Apache-2.0
//
// A boot with an enrolment in the image and a signed kernel by fw_cfg, good until a test changes
// something of it. Keys are made when they are asked for first.
#pragma once

#include <functional>
#include <vector>

#include "shim/formats/cfv/builder.hpp"
#include "tests/native/image.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/logged.hpp"
#include "tests/unit/signer.hpp"

namespace tdshim::native {

class SignedBoot {
  public:
    static constexpr std::uint64_t svn = 6;

    cfv::Policy policy = cfv::Policy::signed_only;
    std::vector<crypto::Digest> revoked_keys;
    std::vector<crypto::Digest> revoked_payloads;
    std::vector<crypto::Digest> pinned_payloads;
    bool is_enrolled = true;
    std::function<void(MutableBytes)> spoil_volume = [](MutableBytes) {};

    explicit SignedBoot(signed_payload::Algorithm algorithm, Blob contents = kernel_image())
        : signer_(signer_of(algorithm)), contents_(std::move(contents)),
          file_(signed_with_svn(svn)), key_{.key = crypto::sha384(public_key()),
                                            .minimum_svn = 0,
                                            .kinds = cfv::all_payloads,
                                            .algorithm = static_cast<std::uint32_t>(algorithm)} {}

    [[nodiscard]] const test::Signer& signer() const { return signer_; }
    [[nodiscard]] const Blob& contents() const { return contents_; }
    [[nodiscard]] Blob& file() { return file_; }
    [[nodiscard]] const Blob& file() const { return file_; }
    [[nodiscard]] cfv::KeyEntry& key() { return key_; }

    [[nodiscard]] Blob signed_with_svn(std::uint64_t number) const {
        return test::signed_file(signer_, contents_, number);
    }
    /// Public key and signature in the file.
    [[nodiscard]] MutableBytes block() {
        return MutableBytes(file_).subspan(48 + contents_.size());
    }
    [[nodiscard]] Bytes public_key() {
        const bool is_rsa = signer_.algorithm() == signed_payload::Algorithm::rsa_pss_3072_sha384;
        return block().first(is_rsa ? crypto::rsa_key_size : crypto::ecdsa_key_size);
    }

    /// Gives `machine` the image and its inputs, the kernel among them.
    void prepare(Machine& machine, bool is_td) const {
        add_good_inputs(machine);
        if (is_td)
            machine.make_td(good_td_hob());
        machine.file("opt/org.tdshim/kernel") = file_;
        machine.set_image_tail(image());
    }

  private:
    static const test::Signer& signer_of(signed_payload::Algorithm algorithm) {
        static const test::Signer rsa(signed_payload::Algorithm::rsa_pss_3072_sha384);
        static const test::Signer ecdsa(signed_payload::Algorithm::ecdsa_p384_sha384);
        return algorithm == rsa.algorithm() ? rsa : ecdsa;
    }

    [[nodiscard]] Blob image() const {
        Blob volume(layout::cfv_size);
        if (is_enrolled)
            REQUIRE(cfv::write(volume, std::nullopt,
                               cfv::PolicyContents{.policy = policy,
                                                   .keys = std::span(&key_, 1),
                                                   .revoked_keys = revoked_keys,
                                                   .revoked_payloads = revoked_payloads,
                                                   .pinned_payloads = pinned_payloads}));
        spoil_volume(volume);
        return image_without_code({}, 0, volume);
    }

    const test::Signer& signer_;
    Blob contents_;
    Blob file_;
    cfv::KeyEntry key_;
};

/// Boots `machine`, which refuses with a line that begins so, leaves a log that leads to its
/// registers, and starts nothing.
inline void check_refused(Machine& machine, const std::string& reason) {
    const Outcome outcome = machine.boot();
    CHECK_FALSE(outcome.linux);
    CHECK_FALSE(outcome.executable);
    CHECK(outcome.findings.empty());
    INFO(outcome.refusal());
    CHECK(outcome.refusal().starts_with(reason));
    CHECK(log_leads_to_registers(machine));
}

} // namespace tdshim::native
