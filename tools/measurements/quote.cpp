// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/quote.hpp"

namespace tdshim::tools {
namespace {

using namespace quote_layout;

/// Whether the body of version 5 is one of TDX 1.5.
Result<bool> take_descriptor(Reader& quote) {
    const std::size_t at = quote.offset();
    const auto descriptor = TRY(quote.take<BodyDescriptor>());
    const bool is_1_5 = descriptor.type == body_tdx_1_5;
    if (!is_1_5 && descriptor.type != body_tdx_1_0)
        return refuse(Fault::quote_body_type, at, body_tdx_1_5, descriptor.type);
    const std::size_t size = sizeof(QuoteBody) + (is_1_5 ? sizeof(QuoteBodyTail) : 0);
    if (descriptor.size != size)
        return refuse(Fault::quote_body_type, at + 2, size, descriptor.size);
    return is_1_5;
}

/// Certification data of that type, in which the next is read.
Result<Bytes> take_certification(Reader& from, std::uint16_t type) {
    const std::size_t at = from.offset();
    const auto header = TRY(from.take<CertificationHeader>());
    if (header.type != type)
        return refuse(Fault::quote_body_type, at, type, header.type);
    return from.take_bytes(header.size);
}

Result<void> take_enclave(Bytes data, Quote& quote) {
    Reader reader(data);
    quote.enclave_report = TRY(reader.take<EnclaveReport>());
    quote.enclave_signature = TRY(reader.take<EcNumbers>());
    const std::uint16_t size = TRY(reader.take<le16>());
    quote.authentication_data = TRY(reader.take_bytes(size));
    quote.pck_chain = TRY(take_certification(reader, certification_pck_chain));
    quote.unread = data.size() - reader.offset();
    return {};
}

} // namespace

Result<QuotedTd> take_quoted_td(Reader& quote) {
    const auto header = TRY(quote.take<QuoteHeader>());
    if (header.version != 4 && header.version != 5)
        return refuse(Fault::quote_version, 0, 5, header.version);
    if (header.tee_type != tee_type_tdx)
        return refuse(Fault::quote_tee_type, offsetof(QuoteHeader, tee_type), tee_type_tdx,
                      header.tee_type);
    const bool has_tail = header.version == 5 && TRY(take_descriptor(quote));
    QuotedTd td{.version = header.version,
                .key_type = header.key_type,
                .vendor = header.vendor,
                .body = TRY(quote.take<QuoteBody>()),
                .tee_tcb_svn_2 = {},
                .servtd_hash = {}};
    if (!has_tail)
        return td;
    const auto tail = TRY(quote.take<QuoteBodyTail>());
    td.tee_tcb_svn_2 = tail.tee_tcb_svn_2;
    td.servtd_hash = tail.servtd_hash;
    return td;
}

Result<Quote> parse_quote(Bytes bytes) {
    Reader reader(bytes);
    Quote quote;
    quote.td = TRY(take_quoted_td(reader));
    if (quote.td.key_type != key_ecdsa_p256)
        return refuse(Fault::quote_body_type, offsetof(QuoteHeader, key_type), key_ecdsa_p256,
                      quote.td.key_type);
    quote.signed_bytes = bytes.first(reader.offset());
    const std::uint32_t size = TRY(reader.take<le32>());
    Reader signature(TRY(reader.take_bytes(size)));
    quote.signature = TRY(signature.take<EcNumbers>());
    quote.attestation_key = TRY(signature.take<EcNumbers>());
    const Bytes enclave = TRY(take_certification(signature, certification_enclave_report));
    TRY(take_enclave(enclave, quote));
    quote.unread += size - signature.offset();
    quote.behind = bytes.subspan(reader.offset());
    return quote;
}

} // namespace tdshim::tools
