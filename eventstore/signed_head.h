// Signed tree heads: what the log was at a size, in the text form of c2sp.org/tlog-checkpoint, a
// note signed as c2sp.org/signed-note says.
//
//   example.com/payments                                      the origin: which log
//   20852163                                                  its size
//   CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=               its root
//
//   — example.com/payments Az3grlgtzPICa5OS8npVmf1Myq/5I…      key name, base64(key id ‖ signature)
//
// The origin is the key's name; of a shard other than the first "/shard/N" stands behind it.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/hash.h"
#include "eventstore/note_key.h"

namespace stele::eventstore {

// A head with its signatures is a page of text at most.
inline constexpr size_t kMaxNoteBytes = 64u << 10;

struct TreeHead {
  std::string origin;
  uint64_t size = 0;
  Hash root{};
  bool operator==(const TreeHead&) const = default;
};

struct NoteSignature {
  std::string name;
  uint32_t key_id = 0;
  std::string signature;  // of any kind
};

struct SignedHead {
  TreeHead head;
  std::string text;  // what is signed
  std::vector<NoteSignature> signatures;
};

std::string OriginOf(std::string_view key_name, ShardId shard);

// The whole note.
std::string SignHead(const TreeHead& head, const NoteSigner& signer);

// kBadProof, with what is wrong, for what is no such note. Every byte counts: another spelling of
// the same head is none.
Result<SignedHead> ParseHead(std::string_view note);

// kBadProof unless the key signed the head. The name and key id of a signature say who claims to
// have signed; of other keys nothing is said.
Status CheckSignature(const SignedHead& head, const NoteVerifier& verifier);

// The one of the keys that signed the head and whose log the head names. kBadProof when there is
// none, or when a signature that claims to be by one of them is not. REQUIRES: there is a key.
Result<const NoteVerifier*> SignerOf(const SignedHead& head, const std::vector<NoteVerifier>& keys);

// Bytes as text that has one form alone: nothing for base64 with bits left over.
std::optional<std::string> DecodeExactBase64(std::string_view text);
std::string HashText(const Hash& hash);
std::optional<Hash> ParseHash(std::string_view text);

}  // namespace stele::eventstore
