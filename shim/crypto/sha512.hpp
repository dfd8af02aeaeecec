// SPDX-License-Identifier: Apache-2.0
//
// Which of OpenSSL's paths hashes. The digest is the same by each.
#pragma once

namespace tdshim::crypto {

/// What a processor's vector registers take to be used.
struct VectorUnit {
    /// Makes AVX2 and BMI2 instructions good; false: there are none. Called before each large run
    /// of blocks.
    bool (*begin)() = nullptr;
    /// Called after each run for which begin() gave true: the registers hold what was hashed.
    void (*end)() = nullptr;
};

/// Hashes with AVX2 from now on, where `unit` lets it. Without a call the scalar path is taken.
void use_vectors(VectorUnit unit);

} // namespace tdshim::crypto
