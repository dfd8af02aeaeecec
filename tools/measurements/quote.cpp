// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/quote.hpp"

#include <format>

#include "tools/common/look.hpp"
#include "tools/common/text.hpp"

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

/// A reader of the next `size` bytes, whose offsets are still those in the quote.
Result<Reader> take_part(Reader& from, Bytes quote, std::size_t size) {
    const std::size_t at = from.offset();
    TRY(from.take_bytes(size));
    Reader part(quote.first(at + size));
    TRY(part.take_bytes(at));
    return part;
}

std::string_view name_of_certification(std::uint16_t type) {
    switch (type) {
    case 1: return "the PPID in clear";
    case 2:
    case 3: return "an encrypted PPID";
    case 4: return "the PCK certificate alone";
    case certification_pck_chain: return "a chain of PCK certificates";
    case certification_enclave_report: return "the quoting enclave's report";
    case 7: return "the platform's manifest";
    default: return "unknown";
    }
}

class Parser {
  public:
    Parser(std::string_view file, Bytes bytes) : file_(file), bytes_(bytes) {}

    Outcome<Quote> run() {
        Reader reader(bytes_);
        Quote quote;
        quote.td = TRY(named(take_quoted_td(reader)));
        if (quote.td.key_type != key_ecdsa_p256)
            return wrong(offsetof(QuoteHeader, key_type), "attestation key is of type",
                         key_ecdsa_p256, "ECDSA with P-256", quote.td.key_type, "another");
        quote.signed_bytes = bytes_.first(reader.offset());
        const std::uint32_t size = TRY(named(reader.take<le32>()));
        Reader signature = TRY(named(take_part(reader, bytes_, size)));
        quote.signature = TRY(named(signature.take<EcNumbers>()));
        quote.attestation_key = TRY(named(signature.take<EcNumbers>()));
        Reader enclave = TRY(take_certification(signature, certification_enclave_report));
        TRY(take_enclave(enclave, quote));
        quote.unread += signature.left();
        quote.behind = bytes_.subspan(reader.offset());
        return quote;
    }

  private:
    template <class T>
    Outcome<T> named(Result<T> result) const {
        return of_file(file_, bytes_, std::move(result));
    }

    [[nodiscard]] std::unexpected<Failure>
    wrong(std::size_t at, std::string_view what, std::uint16_t expected,
          std::string_view expected_name, std::uint16_t found, std::string_view found_name) const {
        return std::unexpected(failure(
            file_, std::format("quote's {} {} at offset {}: expected {}, {}, found {}, {}", what,
                               found, hex(at), expected, expected_name, found, found_name)));
    }

    /// Certification data of that type, in which the next is read.
    Outcome<Reader> take_certification(Reader& from, std::uint16_t type) const {
        const std::size_t at = from.offset();
        const auto header = TRY(named(from.take<CertificationHeader>()));
        if (header.type != type)
            return wrong(at, "certification data are of type", type, name_of_certification(type),
                         header.type, name_of_certification(header.type));
        return named(take_part(from, bytes_, header.size));
    }

    Outcome<> take_enclave(Reader& reader, Quote& quote) const {
        quote.enclave_report = TRY(named(reader.take<EnclaveReport>()));
        quote.enclave_signature = TRY(named(reader.take<EcNumbers>()));
        const std::uint16_t size = TRY(named(reader.take<le16>()));
        quote.authentication_data = TRY(named(reader.take_bytes(size)));
        Reader chain = TRY(take_certification(reader, certification_pck_chain));
        quote.pck_chain = TRY(named(chain.take_bytes(chain.left())));
        quote.unread = reader.left();
        return {};
    }

    std::string_view file_;
    Bytes bytes_;
};

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
                .tee_tcb_svn_2 = std::nullopt,
                .servtd_hash = std::nullopt};
    if (!has_tail)
        return td;
    const auto tail = TRY(quote.take<QuoteBodyTail>());
    td.tee_tcb_svn_2 = tail.tee_tcb_svn_2;
    td.servtd_hash = tail.servtd_hash;
    return td;
}

Outcome<Quote> parse_quote(std::string_view file, Bytes bytes) {
    return Parser(file, bytes).run();
}

} // namespace tdshim::tools
