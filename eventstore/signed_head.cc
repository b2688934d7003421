#include "eventstore/signed_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/base64.h"
#include "base/check.h"
#include "base/utf8.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // an em dash and a blank

std::unexpected<Error> Bad(std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected a signed tree head with {} but found {}", expected, found));
}

// Takes the text up to the end of its line; nothing when no line ends there.
std::optional<std::string_view> TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end + 1);
  return line;
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::to_string(size) == text ? std::optional(size) : std::nullopt;
}

Result<NoteSignature> ParseSignature(std::string_view line) {
  NoteSignature signature;
  if (!line.starts_with(kDash)) return Bad("lines of signatures at its end", "another line there");
  line.remove_prefix(kDash.size());
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos || !CheckKeyName(line.substr(0, blank)))
    return Bad("a key's name in front of each signature", "none");
  signature.name = line.substr(0, blank);
  auto bytes = DecodeExactBase64(line.substr(blank + 1));
  if (!bytes || bytes->size() <= 4) return Bad("signatures in base64", "another text");
  signature.key_id = LoadBig<uint32_t>(bytes->data());
  signature.signature = bytes->substr(4);
  return signature;
}

std::string HeadText(const TreeHead& head) {
  return fmt::format("{}\n{}\n{}\n", head.origin, head.size, HashText(head.root));
}

std::unexpected<Error> NotSignedBy(const SignedHead& head, std::string_view keys) {
  const NoteSignature& other = head.signatures.front();
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected a head that is signed by the key {} but found one by {}+{:08x}",
                          keys, other.name, other.key_id));
}

// Of any shard.
bool IsOriginOf(std::string_view origin, std::string_view key_name) {
  if (!origin.starts_with(key_name)) return false;
  origin.remove_prefix(key_name.size());
  return origin.empty() || origin.starts_with("/shard/");
}

}  // namespace

std::optional<std::string> DecodeExactBase64(std::string_view text) {
  auto bytes = DecodeBase64(text);
  return bytes && Base64(*bytes) == text ? bytes : std::nullopt;
}

std::string HashText(const Hash& hash) {
  return Base64({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::optional<Hash> ParseHash(std::string_view text) {
  const auto bytes = DecodeExactBase64(text);
  Hash hash;
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  std::memcpy(hash.data(), bytes->data(), hash.size());
  return hash;
}

std::string OriginOf(std::string_view key_name, ShardId shard) {
  return shard == ShardId(0) ? std::string(key_name)
                             : fmt::format("{}/shard/{}", key_name, shard.value);
}

std::string SignHead(const TreeHead& head, const NoteSigner& signer) {
  const std::string text = HeadText(head);
  std::string signature(4, '\0');
  StoreBig(signer.verifier().id(), signature.data());
  signature += signer.Sign(text);
  return fmt::format("{}\n{}{} {}\n", text, kDash, signer.name(), Base64(signature));
}

Result<SignedHead> ParseHead(std::string_view note) {
  if (note.size() > kMaxNoteBytes)
    return Bad(fmt::format("at most {} bytes", kMaxNoteBytes), fmt::format("{}", note.size()));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\n'; };
  if (!IsUtf8(note) || std::ranges::any_of(note, is_control)) return Bad("text", "other bytes");
  const size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return Bad("an empty line before its signatures", "none");
  SignedHead signed_head;
  signed_head.text = note.substr(0, blank + 1);
  std::string_view rest = signed_head.text;
  const auto origin = TakeLine(&rest), size = TakeLine(&rest), root = TakeLine(&rest);
  if (!origin || !size || !root) return Bad("the lines of origin, size and root", "fewer");
  signed_head.head.origin = *origin;
  const auto parsed_size = ParseSize(*size);
  if (origin->empty() || !parsed_size) return Bad("an origin and a size", "another text");
  signed_head.head.size = *parsed_size;
  const auto parsed_root = ParseHash(*root);
  if (!parsed_root) return Bad("a root of 32 bytes in base64", "another text");
  signed_head.head.root = *parsed_root;
  for (rest = note.substr(blank + 2); !rest.empty();) {
    const auto line = TakeLine(&rest);
    if (!line) return Bad("an end of its last line", "none");
    auto signature = ParseSignature(*line);
    if (!signature) return std::unexpected(std::move(signature).error());
    signed_head.signatures.push_back(*std::move(signature));
  }
  if (signed_head.signatures.empty()) return Bad("a signature", "none");
  return signed_head;
}

Status CheckSignature(const SignedHead& head, const NoteVerifier& verifier) {
  bool signed_by_it = false;
  for (const NoteSignature& signature : head.signatures) {
    if (signature.name != verifier.name() || signature.key_id != verifier.id()) continue;
    if (!verifier.Verifies(head.text, signature.signature))
      return Fail(ErrorCode::kBadProof,
                  fmt::format("Expected the head of {} over {} records to have been signed by the "
                              "key {}+{:08x} but found that the signature is wrong",
                              head.head.origin, head.head.size, verifier.name(), verifier.id()));
    signed_by_it = true;
  }
  if (signed_by_it) return {};
  return NotSignedBy(head, verifier.Title());
}

Result<const NoteVerifier*> SignerOf(const SignedHead& head,
                                     const std::vector<NoteVerifier>& keys) {
  CHECK(!keys.empty(), "no key");
  const NoteVerifier* signer = nullptr;
  std::string titles;
  for (const NoteVerifier& key : keys) {
    titles += (titles.empty() ? "" : " or ") + key.Title();
    const auto claims = [&](const NoteSignature& signature) {
      return signature.name == key.name() && signature.key_id == key.id();
    };
    if (std::ranges::none_of(head.signatures, claims)) continue;
    STELE_RETURN_IF_ERROR(CheckSignature(head, key));
    if (signer == nullptr || IsOriginOf(head.head.origin, key.name())) signer = &key;
  }
  if (signer == nullptr) return NotSignedBy(head, titles);
  if (IsOriginOf(head.head.origin, signer->name())) return signer;
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected a head of the log of {}, whose key signed it, but found one of "
                          "{}",
                          signer->name(), head.head.origin));
}

}  // namespace stele::eventstore
