#include "server/auth/seal.h"

#include <gtest/gtest.h>

namespace stele::server {
namespace {

TEST(Seal, OpensWhatItHasClosed) {
  const Seal seal(SystemRandom());
  for (const std::string& text : {std::string(), std::string("a"), std::string(5'000, '\0')})
    EXPECT_EQ(seal.Open(seal.Close(text)), text);
}

TEST(Seal, TellsNothingOfTheText) {
  const Seal seal(SystemRandom());
  EXPECT_NE(seal.Close("same"), seal.Close("same"));
  EXPECT_EQ(seal.Close("abc").size(), seal.Close("xyz").size());
}

TEST(Seal, OpensNothingElse) {
  const Seal seal(SystemRandom());
  const std::string closed = seal.Close("place");
  EXPECT_EQ(Seal(SystemRandom()).Open(closed), std::nullopt);
  EXPECT_EQ(seal.Open(""), std::nullopt);
  EXPECT_EQ(seal.Open("0a0b"), std::nullopt);
  EXPECT_EQ(seal.Open("no base64!"), std::nullopt);
  for (size_t at = 0; at < closed.size(); ++at) {
    std::string changed = closed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(seal.Open(changed), std::nullopt) << at;
  }
}

}  // namespace
}  // namespace stele::server
