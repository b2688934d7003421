#include "server/auth/source.h"

#include <gtest/gtest.h>

namespace stele::server {
namespace {

TEST(Source, IsTheAddressOfWhoShowsNoCertificate) {
  const std::string source = SourceOf("2001:db8::7", "");
  EXPECT_EQ(source, "2001:db8::7");
  EXPECT_EQ(AddressOf(source), "2001:db8::7");
  EXPECT_EQ(CertificateOf(source), "");
}

TEST(Source, KeepsTheWholeNameOfTheCertificate) {
  const std::string source = SourceOf("127.0.0.1", " press 1 10.0.0.1");
  EXPECT_EQ(AddressOf(source), "127.0.0.1");
  EXPECT_EQ(CertificateOf(source), " press 1 10.0.0.1");
}

}  // namespace
}  // namespace stele::server
