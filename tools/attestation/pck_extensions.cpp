// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/pck_extensions.hpp"

#include <algorithm>
#include <format>
#include <map>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <optional>
#include <string>

#include "tools/common/openssl.hpp"

namespace tdshim::tools {
namespace {

using openssl::Handle;

constexpr const char* extensions_oid = "1.2.840.113741.1.13.1";
constexpr int tcb_number = 2;
constexpr int pce_id_number = 3;
constexpr int fmspc_number = 4;
constexpr int pce_svn_number = 17; // of the TCB; 1 to 16 are the components

void free_sequence(ASN1_SEQUENCE_ANY* sequence) {
    sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
}
using Sequence = Handle<ASN1_SEQUENCE_ANY, &free_sequence>;

Sequence sequence_of(Bytes der) {
    const unsigned char* at = openssl::characters(der);
    Sequence sequence(d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    return at == openssl::characters(der) + der.size() ? std::move(sequence) : nullptr;
}

Bytes bytes_of(const ASN1_STRING* string) {
    return std::as_bytes(std::span(ASN1_STRING_get0_data(string),
                                   static_cast<std::size_t>(ASN1_STRING_length(string))));
}

std::string text_of(const ASN1_OBJECT* object) {
    std::array<char, 80> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
    return text.data();
}

using Value = Handle<ASN1_TYPE, &ASN1_TYPE_free>;
using Values = std::map<int, Value>;

/// {number: value} of a sequence of pairs whose first is the identifier `parent`.number.
Outcome<Values> values_of(Bytes der, const std::string& parent) {
    const auto wrong = [&](std::string_view what) {
        return std::unexpected(Failure{std::format("extension {}: {}", parent, what)});
    };
    const Sequence pairs = sequence_of(der);
    if (!pairs)
        return wrong("is no sequence");
    Values values;
    for (int i = 0; i < sk_ASN1_TYPE_num(pairs.get()); ++i) {
        const ASN1_TYPE* const element = sk_ASN1_TYPE_value(pairs.get(), i);
        const Sequence pair = ASN1_TYPE_get(element) == V_ASN1_SEQUENCE
                                  ? sequence_of(bytes_of(element->value.sequence))
                                  : nullptr;
        if (!pair || sk_ASN1_TYPE_num(pair.get()) != 2 ||
            ASN1_TYPE_get(sk_ASN1_TYPE_value(pair.get(), 0)) != V_ASN1_OBJECT)
            return wrong("has an element that is no pair of identifier and value");
        const std::string name = text_of(sk_ASN1_TYPE_value(pair.get(), 0)->value.object);
        int number = 0;
        if (!name.starts_with(parent + ".") ||
            std::sscanf(name.c_str() + parent.size(), ".%3d", &number) != 1 ||
            name != std::format("{}.{}", parent, number))
            return wrong("has a member of another's: " + name);
        Value value(sk_ASN1_TYPE_pop(pair.get()));
        if (!values.try_emplace(number, std::move(value)).second)
            return wrong(std::format("has {} twice", name));
    }
    return values;
}

template <std::size_t Size>
Outcome<std::array<std::byte, Size>> octets(const Values& values, int number,
                                            std::string_view name) {
    const auto found = values.find(number);
    std::array<std::byte, Size> octets{};
    if (found == values.end() || ASN1_TYPE_get(found->second.get()) != V_ASN1_OCTET_STRING ||
        bytes_of(found->second->value.octet_string).size() != Size)
        return std::unexpected(Failure{std::format("{} is not {} octets", name, Size)});
    std::ranges::copy(bytes_of(found->second->value.octet_string), octets.begin());
    return octets;
}

Outcome<std::uint64_t> number(const Values& values, int number, std::uint64_t most) {
    const auto found = values.find(number);
    std::uint64_t value = 0;
    if (found == values.end() || ASN1_TYPE_get(found->second.get()) != V_ASN1_INTEGER ||
        ASN1_INTEGER_get_uint64(&value, found->second->value.integer) != 1 || value > most) {
        ERR_clear_error();
        return std::unexpected(
            Failure{std::format("TCB member {} is no number up to {}", number, most)});
    }
    return value;
}

std::optional<int> place_of(const X509& certificate) {
    const Handle<ASN1_OBJECT, &ASN1_OBJECT_free> name(OBJ_txt2obj(extensions_oid, 1));
    const int at = name ? X509_get_ext_by_OBJ(&certificate, name.get(), -1) : -1;
    return at < 0 ? std::nullopt : std::optional(at);
}

} // namespace

bool has_pck_extensions(const X509& certificate) {
    return place_of(certificate).has_value();
}

Outcome<PckExtensions> pck_extensions_of(const X509& certificate) {
    const auto place = place_of(certificate);
    if (!place)
        return std::unexpected(
            Failure{std::string("PCK certificate has no extension ") + extensions_oid});
    const Bytes content = bytes_of(X509_EXTENSION_get_data(X509_get_ext(&certificate, *place)));
    const Values values = TRY(values_of(content, extensions_oid));
    const auto tcb = values.find(tcb_number);
    if (tcb == values.end() || ASN1_TYPE_get(tcb->second.get()) != V_ASN1_SEQUENCE)
        return std::unexpected(Failure{"PCK certificate has no TCB"});
    const Values members = TRY(values_of(bytes_of(tcb->second->value.sequence),
                                         std::format("{}.{}", extensions_oid, tcb_number)));
    PckExtensions result{
        .fmspc = TRY(octets<6>(values, fmspc_number, "FMSPC")),
        .pce_id = TRY(octets<2>(values, pce_id_number, "PCE-ID")),
        .svns = {},
        .pce_svn = static_cast<std::uint16_t>(TRY(number(members, pce_svn_number, 0xFFFF)))};
    for (std::size_t i = 0; i < result.svns.size(); ++i)
        result.svns[i] =
            static_cast<std::uint8_t>(TRY(number(members, static_cast<int>(i) + 1, 0xFF)));
    return result;
}

} // namespace tdshim::tools
