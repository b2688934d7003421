// Keys that sign notes (c2sp.org/signed-note), Ed25519, in the text forms that Go's sumdb/note and
// the tools around it read:
//
//   PRIVATE+KEY+<name>+<key id, 8 hexadecimal digits>+<base64(0x01 ‖ seed (32))>
//   <name>+<key id>+<base64(0x01 ‖ public key (32))>
//
//   key id = the first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), big-endian
//
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::eventstore {

inline constexpr size_t kSignatureBytes = 64;
// A name stands in every head.
inline constexpr size_t kMaxKeyNameBytes = 255;

// kAuditKey unless it may name a key: not empty, valid UTF-8 without blanks, control characters and
// '+'.
Status CheckKeyName(std::string_view name);

// What everybody may know.
class NoteVerifier {
 public:
  // kAuditKey for what is no such text, or whose id is not that of its key.
  static Result<NoteVerifier> Parse(std::string_view text);
  NoteVerifier(std::string name, const std::array<uint8_t, 32>& key);

  const std::string& name() const { return name_; }
  uint32_t id() const { return id_; }
  // NAME+HASH, as a head names the key that signed it.
  std::string Title() const;
  std::string ToText() const;
  bool Verifies(std::string_view text, std::string_view signature) const;

 private:
  std::string name_;
  std::array<uint8_t, 32> key_;
  uint32_t id_;
};

// Its seed is wiped when it ends.
class NoteSigner {
 public:
  // REQUIRES: CheckKeyName(name).
  static NoteSigner Generate(std::string_view name);
  // Blanks around the text do not count. The error, kAuditKey, names `where` and never holds it.
  static Result<NoteSigner> Parse(std::string_view text, std::string_view where);
  NoteSigner(NoteSigner&& other) noexcept;
  NoteSigner& operator=(NoteSigner&&) = delete;
  ~NoteSigner();

  const NoteVerifier& verifier() const { return verifier_; }
  const std::string& name() const { return verifier_.name(); }
  // To be wiped by who has it.
  std::string ToText() const;
  // kSignatureBytes.
  std::string Sign(std::string_view text) const;

 private:
  NoteSigner(std::string_view name, const std::array<uint8_t, 32>& seed);

  std::array<uint8_t, 32> seed_;
  NoteVerifier verifier_;
};

}  // namespace stele::eventstore
