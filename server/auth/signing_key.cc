#include "server/auth/signing_key.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <sodium.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "server/auth/limits.h"

namespace stele::server {
namespace {

constexpr std::array<std::string_view, 3> kAlgorithmNames = {"HS256", "RS256", "EdDSA"};
constexpr size_t kOwnKidBytes = 6;

template <class T, auto kFree>
struct Freed {
  void operator()(T* value) const { kFree(value); }
};
using Bio = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM, OSSL_PARAM_free>>;

// OpenSSL leaves what failed on a list of the thread, where TLS would take it for its own.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  ~QuietErrors() { ERR_pop_to_mark(); }
};

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::unexpected<Error> BadKey(std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kBadRequest, fmt::format("Expected {} but found {}", expected, found));
}

// A key that is sealed by a pass phrase is refused: nobody is there to be asked.
int NoPassPhrase(char*, int, int, void*) {
  return -1;
}

Number NumberOf(std::string_view bytes) {
  return Number(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::shared_ptr<EVP_PKEY> RsaKey(std::string_view n, std::string_view e) {
  const QuietErrors quiet;
  const Number modulus = NumberOf(n);
  const Number exponent = NumberOf(e);
  const ParamBuild build(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !build ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return nullptr;
  const Params params(OSSL_PARAM_BLD_to_param(build.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return {key, EVP_PKEY_free};
}

bool VerifiesRsa(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  const QuietErrors quiet;
  const Digest digest(EVP_MD_CTX_new());
  return digest && EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(digest.get(), Bytes(signature), signature.size(), Bytes(text),
                          text.size()) == 1;
}

// `hash` is null for Ed25519, which hashes by itself.
std::string SignWith(EVP_PKEY* key, const EVP_MD* hash, std::string_view text) {
  const Digest digest(EVP_MD_CTX_new());
  size_t size = static_cast<size_t>(EVP_PKEY_get_size(key));
  std::string signature(size, '\0');
  CHECK(digest && EVP_DigestSignInit(digest.get(), nullptr, hash, nullptr, key) == 1 &&
            EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                           Bytes(text), text.size()) == 1,
        "a signature could not be made");
  signature.resize(size);
  return signature;
}

}  // namespace

std::string_view AlgorithmName(Algorithm algorithm) {
  return kAlgorithmNames[static_cast<size_t>(algorithm)];
}

std::optional<Algorithm> FindAlgorithm(std::string_view name) {
  for (size_t i = 0; i < kAlgorithmNames.size(); ++i)
    if (kAlgorithmNames[i] == name) return static_cast<Algorithm>(i);
  return std::nullopt;
}

VerificationKey::VerificationKey(Algorithm algorithm, std::string kid, std::string_view bytes,
                                 std::shared_ptr<evp_pkey_st> rsa)
    : algorithm_(algorithm), kid_(std::move(kid)), bytes_(bytes), rsa_(std::move(rsa)) {}

Result<VerificationKey> VerificationKey::FromSecret(std::string_view secret, std::string kid) {
  if (secret.size() < kMinSecretBytes)
    return BadKey(fmt::format("a secret of at least {} bytes", kMinSecretBytes),
                  fmt::format("one of {}", secret.size()));
  return VerificationKey(Algorithm::kHs256, std::move(kid), secret, nullptr);
}

Result<VerificationKey> VerificationKey::FromKey(std::shared_ptr<evp_pkey_st> key,
                                                 std::string kid) {
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits < static_cast<int>(kMinRsaBits) || bits > static_cast<int>(kMaxRsaBits))
      return BadKey(fmt::format("an RSA key of {} to {} bits", kMinRsaBits, kMaxRsaBits),
                    fmt::format("one of {}", bits));
    return VerificationKey(Algorithm::kRs256, std::move(kid), {}, std::move(key));
  }
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> point{};
  size_t size = point.size();
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1 &&
      EVP_PKEY_get_raw_public_key(key.get(), point.data(), &size) == 1)
    return FromEd25519({reinterpret_cast<const char*>(point.data()), size}, std::move(kid));
  return BadKey("a key of RSA or Ed25519", "one of another kind");
}

Result<VerificationKey> VerificationKey::FromPem(std::string_view pem, std::string kid) {
  const QuietErrors quiet;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::shared_ptr<EVP_PKEY> key(
      bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, NoPassPhrase, nullptr) : nullptr,
      EVP_PKEY_free);
  if (!key) return BadKey("a public key in PEM", "none that can be read");
  return FromKey(std::move(key), std::move(kid));
}

Result<VerificationKey> VerificationKey::FromRsa(std::string_view n, std::string_view e,
                                                 std::string kid) {
  // Longer exponents are as good as never meant, and make checking slow.
  constexpr size_t kMaxExponentBytes = 8;
  if (n.size() > kMaxRsaBits / 8 || e.size() > kMaxExponentBytes)
    return BadKey(fmt::format("an RSA key of {} to {} bits", kMinRsaBits, kMaxRsaBits),
                  "a longer modulus or exponent");
  const auto is_odd = [](std::string_view number) {
    return !number.empty() && (number.back() & 1) != 0;
  };
  if (!is_odd(n) || !is_odd(e) || e.find_first_not_of('\0') == std::string_view::npos ||
      (e.find_first_not_of('\0') == e.size() - 1 && e.back() == 1))
    return BadKey("an odd RSA modulus, and an odd exponent above 1", "others");
  std::shared_ptr<EVP_PKEY> key = RsaKey(n, e);
  if (!key) return BadKey("an RSA key", "numbers that are none");
  return FromKey(std::move(key), std::move(kid));
}

Result<VerificationKey> VerificationKey::FromEd25519(std::string_view x, std::string kid) {
  if (x.size() != crypto_sign_PUBLICKEYBYTES)
    return BadKey(fmt::format("an Ed25519 key of {} bytes", crypto_sign_PUBLICKEYBYTES),
                  fmt::format("one of {}", x.size()));
  return VerificationKey(Algorithm::kEdDsa, std::move(kid), x, nullptr);
}

bool VerificationKey::Verifies(std::string_view signed_text, std::string_view signature) const {
  switch (algorithm_) {
    case Algorithm::kHs256:
      return SameBytes(HmacSha256(bytes_.view(), signed_text), signature);
    case Algorithm::kRs256:
      return VerifiesRsa(rsa_.get(), signed_text, signature);
    case Algorithm::kEdDsa:
      return signature.size() == crypto_sign_BYTES &&
             crypto_sign_verify_detached(Bytes(signature), Bytes(signed_text), signed_text.size(),
                                         Bytes(bytes_.view())) == 0;
  }
  return false;
}

SigningKey::SigningKey(VerificationKey verifier, std::string_view secret,
                       std::shared_ptr<evp_pkey_st> key)
    : verifier_(std::move(verifier)), secret_(secret), key_(std::move(key)) {}

Result<SigningKey> SigningKey::FromSecret(std::string_view secret, std::string kid) {
  auto verifier = VerificationKey::FromSecret(secret, std::move(kid));
  if (!verifier) return std::unexpected(verifier.error());
  return SigningKey(*std::move(verifier), secret, nullptr);
}

Result<SigningKey> SigningKey::Own(std::string_view secret) {
  return FromSecret(secret, EncodeBase64Url(Sha256(secret).substr(0, kOwnKidBytes)));
}

Result<SigningKey> SigningKey::FromPem(std::string_view pem, std::string kid) {
  const QuietErrors quiet;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::shared_ptr<EVP_PKEY> key(
      bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassPhrase, nullptr) : nullptr,
      EVP_PKEY_free);
  if (!key) return BadKey("a private key in PEM, without a pass phrase", "none that can be read");
  auto verifier = VerificationKey::FromKey(key, std::move(kid));
  if (!verifier) return std::unexpected(verifier.error());
  return SigningKey(*std::move(verifier), {}, std::move(key));
}

std::string SigningKey::Sign(std::string_view text) const {
  switch (algorithm()) {
    case Algorithm::kHs256:
      return HmacSha256(secret_.view(), text);
    case Algorithm::kRs256:
      return SignWith(key_.get(), EVP_sha256(), text);
    case Algorithm::kEdDsa:
      return SignWith(key_.get(), nullptr, text);
  }
  return {};
}

}  // namespace stele::server
