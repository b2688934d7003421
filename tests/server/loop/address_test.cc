#include "server/loop/address.h"

#include <gtest/gtest.h>

namespace stele::server {
namespace {

TEST(ParseAddress, ReadsEveryForm) {
  EXPECT_EQ(ParseAddress("127.0.0.1:7070").value(), (Address{.host = "127.0.0.1", .port = 7070}));
  EXPECT_EQ(ParseAddress("example.org:1").value(), (Address{.host = "example.org", .port = 1}));
  EXPECT_EQ(ParseAddress("[::1]:65535").value(), (Address{.host = "::1", .port = 65535}));
  EXPECT_EQ(ParseAddress(":80").value(), (Address{.port = 80}));
  EXPECT_EQ(ParseAddress("80").value(), (Address{.port = 80}));
  EXPECT_EQ(ParseAddress("unix:/run/a.sock").value(), (Address{.path = "/run/a.sock"}));
}

TEST(ParseAddress, IsRefusedWhenItIsNoneOfTheForms) {
  for (const char* text : {"", ":", "host", "host:", "host:70000", "host:-1", "host:7x", "::1:80",
                           "[::1]", "[::1]80", "[nonsense]:80", "unix:", "a b:80", "a/b:80"}) {
    const auto parsed = ParseAddress(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kListen) << text;
    EXPECT_NE(parsed.error().message.find(std::string("'") + text + "'"), std::string::npos)
        << parsed.error().message;
  }
}

TEST(ParseAddress, IsRefusedWhenAUnixPathIsTooLong) {
  const auto parsed = ParseAddress("unix:/" + std::string(200, 'a'));
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("at most 107 bytes"), std::string::npos);
}

}  // namespace
}  // namespace stele::server
