// Entity tags (RFC 9110 8.8.3): what a client that has a copy compares it by.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace stele::server::http {

// A strong tag of a body, in quotes: its 64-bit FNV-1a hash and its length. Two bodies of one
// resource with the same tag are as unlikely as chance makes it; who wants to make such a pair can,
// and fools but the own cache: nothing else may trust in it.
std::string EntityTag(std::string_view body);

// The tag of the same body in gzip: other bytes, so another tag.
std::string GzipTag(std::string_view etag);

// Whether an If-None-Match ("*", or a list of tags) names the tag, in any coding of it.
bool MatchesWeakly(std::string_view if_none_match, std::string_view etag);

// Whether an If-Match names the tag, in any coding of it. Weak tags never match.
bool MatchesStrongly(std::string_view if_match, std::string_view etag);

}  // namespace stele::server::http
