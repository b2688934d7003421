#include "server/http/entity_tag.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/http/headers.h"

namespace stele::server::http {
namespace {

constexpr std::string_view kGzipEnd = "-gz\"";

// A change is the same change in every coding, so a tag that a client got with gzip is told by its
// end.
std::string Plain(std::string_view tag) {
  if (!tag.ends_with(kGzipEnd)) return std::string(tag);
  return std::string(tag.substr(0, tag.size() - kGzipEnd.size())) + "\"";
}

bool Names(std::string_view list, std::string_view etag, bool weak_too) {
  if (Trim(list) == "*") return true;
  return std::ranges::any_of(SplitList(list), [&](std::string_view tag) {
    if (tag.starts_with("W/")) {
      if (!weak_too) return false;
      tag.remove_prefix(2);
    }
    return Plain(tag) == Plain(etag);
  });
}

}  // namespace

std::string EntityTag(std::string_view body) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("\"{:016x}{:x}\"", hash, body.size());
}

std::string GzipTag(std::string_view etag) {
  return std::string(etag.substr(0, etag.size() - 1)) + std::string(kGzipEnd);
}

bool MatchesWeakly(std::string_view if_none_match, std::string_view etag) {
  return Names(if_none_match, etag, true);
}

bool MatchesStrongly(std::string_view if_match, std::string_view etag) {
  return Names(if_match, etag, false);
}

}  // namespace stele::server::http
