// base64url as tokens have it (RFC 7515, 2), digests, and texts that leave nothing in memory.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stele::server {

// Without padding.
std::string EncodeBase64Url(std::string_view bytes);

// One text for one value: no padding, no blanks, no bits that are left over. Nothing otherwise.
std::optional<std::string> DecodeBase64Url(std::string_view text);

// 32 bytes.
std::string Sha256(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view bytes);

// Takes the same time wherever they differ. Lengths are no secret.
bool SameBytes(std::string_view a, std::string_view b);

// A password or a key; wiped when it ends.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string_view text) : text_(text) {}
  // Takes its bytes over: no copy of them is left.
  static SecretText Take(std::string&& text);
  SecretText(const SecretText&) = default;
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(const SecretText& other);
  SecretText& operator=(SecretText&& other) noexcept;
  ~SecretText() { Wipe(); }

  std::string_view view() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  static void Wipe(std::string& text);
  void Wipe() { Wipe(text_); }
  std::string text_;
};

}  // namespace stele::server
