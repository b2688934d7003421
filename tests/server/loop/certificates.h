// Certificates for tests, made on the spot.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace stele::server {

// A key and a certificate that names it; `issuer` signs it, or it signs itself as an authority.
class Certificate {
 public:
  explicit Certificate(const std::string& common_name, const Certificate* issuer = nullptr)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), x509_(X509_new(), X509_free) {
    X509* x = x509_.get();
    X509_set_version(x, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3'600);
    X509_NAME* name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(x, issuer == nullptr ? name : X509_get_subject_name(issuer->x509_.get()));
    X509_set_pubkey(x, key_.get());
    Extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    Extend(NID_subject_alt_name, "DNS:" + common_name);
    X509_sign(x, issuer == nullptr ? key_.get() : issuer->key_.get(), EVP_sha256());
  }

  void Write(const std::string& certificate_path, const std::string& key_path) const {
    const Output certificate(BIO_new_file(certificate_path.c_str(), "w"), BIO_free);
    PEM_write_bio_X509(certificate.get(), x509_.get());
    const Output key(BIO_new_file(key_path.c_str(), "w"), BIO_free);
    PEM_write_bio_PrivateKey(key.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }

 private:
  using Output = std::unique_ptr<BIO, int (*)(BIO*)>;

  void Extend(int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(x509_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  std::unique_ptr<X509, void (*)(X509*)> x509_;
};

}  // namespace stele::server
