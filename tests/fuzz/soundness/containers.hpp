// SPDX-License-Identifier: Apache-2.0
//
// The payload file of a launch: a kernel or a program by itself, or one that brings the other files
// of a boot with it; signed if it is to be, with a key that is made when one is asked for first.
#pragma once

#include "shim/crypto/sha384.hpp"
#include "tests/fuzz/soundness/choices.hpp"

namespace tdshim::soundness {

enum class Container : std::uint8_t { bzimage, uki, bundle, raw_vmlinux, executable, vmlinux };

[[nodiscard]] Container container_of(const Choices& choices);

/// The contents, with the patches in them, and around these a signature.
[[nodiscard]] Blob payload_file(const Plan& plan);

/// SHA-384 of the public key that signs: what an image enrols.
[[nodiscard]] const crypto::Digest& signing_key();

} // namespace tdshim::soundness
