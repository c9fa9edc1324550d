// Percent-encoding, as URLs and forms carry it. Text is bytes: what is not ASCII is encoded byte by byte, so that UTF-8
// comes out as UTF-8.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace triage::ingest {

// A name and its value, neither of them encoded.
using FormPair = std::pair<std::string, std::string>;

// Everything but the unreserved characters of RFC 3986 section 2.3 (letters, digits, "-._~") as %XX, in upper case.
// This is also the {var} of RFC 6570 and the encoding of OAuth (RFC 5849 section 3.6).
std::string percent_encode(std::string_view text);

// As {+var} of RFC 6570 (section 3.2.3): reserved characters of RFC 3986 (":/?#[]@!$&'()*+,;=") stay, too, and so does
// a
// '%' that two hex digits follow.
std::string percent_encode_reserved(std::string_view text);

// application/x-www-form-urlencoded as the WHATWG URL standard serialises it: a space is '+', and all but letters,
// digits and "*-._" is %XX. Pairs stay in their order; nothing for no pairs.
std::string form_encode(std::span<const FormPair> pairs);

// What the parser of the same standard reads from a form or from the query of a URL (without its '?'): '+' is a space,
// a '%' that no two hex digits follow stands for itself, and a name without '=' has an empty value. It refuses nothing.
// Unlike the standard's, it leaves bytes that are not UTF-8 as they are.
std::vector<FormPair> form_decode(std::string_view text);

}  // namespace triage::ingest
