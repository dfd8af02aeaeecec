// SPDX-License-Identifier: Apache-2.0
//
// Checks the signatures that stand on its standard input, a line each: "rsa|ecdsa KEY MESSAGE
// SIGNATURE", hexadecimal, "-" for no bytes. Answers each with "good" or with the refusal's
// sentence.

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "shim/crypto/signature.hpp"

namespace {

using namespace tdshim;

std::vector<std::byte> bytes_of_hex(const std::string& text) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; text != "-" && i + 1 < text.size(); i += 2)
        bytes.push_back(
            std::byte(static_cast<unsigned char>(std::stoul(text.substr(i, 2), nullptr, 16))));
    return bytes;
}

std::string_view verdict(const std::string& algorithm, Bytes key, Bytes message, Bytes signature) {
    crypto::SignatureMemory memory;
    const crypto::Digest digest = crypto::sha384(message);
    Result<void> outcome;
    if (algorithm == "rsa" && key.size() == crypto::rsa_key_size &&
        signature.size() == crypto::rsa_signature_size)
        outcome = crypto::check_rsa_pss(crypto::RsaKey(key), digest,
                                        crypto::RsaSignature(signature), memory.bytes);
    else if (algorithm == "ecdsa" && key.size() == crypto::ecdsa_key_size &&
             signature.size() == crypto::ecdsa_signature_size)
        outcome = crypto::check_ecdsa_p384(crypto::EcdsaKey(key), digest,
                                           crypto::EcdsaSignature(signature), memory.bytes);
    else
        return "size"; // such a block does not come out of the parser
    return outcome ? "good" : sentence(outcome.error().fault);
}

} // namespace

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string algorithm;
        std::string key;
        std::string message;
        std::string signature;
        if (!(words >> algorithm >> key >> message >> signature))
            return 2;
        std::cout << verdict(algorithm, bytes_of_hex(key), bytes_of_hex(message),
                             bytes_of_hex(signature))
                  << '\n';
    }
}
