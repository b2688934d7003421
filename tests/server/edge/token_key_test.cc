#include "server/edge/token_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

struct TokenKey : testing::Test {
  std::string path() const { return folder / "token.key"; }
  void Write(const std::string& text) {
    std::ofstream(path()) << text;
    std::filesystem::permissions(path(), std::filesystem::perms::owner_read);
  }
  Result<SigningKey> Read() { return ReadOrMakeTokenKey(folder / "", SystemRandom()); }
  TempFolder folder;
};

TEST_F(TokenKey, IsMadeOnceForItsOwnerAlone) {
  const auto made = Read();
  ASSERT_TRUE(made.has_value()) << made.error().ToString();
  struct stat about{};
  ASSERT_EQ(stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  const auto again = Read();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->kid(), made->kid());
  EXPECT_TRUE(again->verifier().Verifies("text", made->Sign("text")));
}

TEST_F(TokenKey, IsAnotherOneInEveryDirectory) {
  const TempFolder other;
  EXPECT_NE(Read()->kid(), ReadOrMakeTokenKey(other / "", SystemRandom())->kid());
}

TEST_F(TokenKey, ThatOthersMayReadIsRefused) {
  ASSERT_TRUE(Read().has_value());
  chmod(path().c_str(), 0640);
  ASSERT_FALSE(Read().has_value());
  EXPECT_EQ(Read().error().code, ErrorCode::kSecretExposed);
}

TEST_F(TokenKey, ThatIsNoneIsRefusedWithoutBeingShown) {
  for (const std::string& text : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                  std::string(64, 'G'), std::string(64, 'a') + "\n\n"}) {
    Write(text);
    const auto read = Read();
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kSecretKey);
    EXPECT_EQ(read.error().message.find("aaaa"), std::string::npos);
    std::filesystem::remove(path());
  }
  Write(std::string(64, 'a') + "\n");
  EXPECT_TRUE(Read().has_value());
}

TEST_F(TokenKey, IsNotReadThroughALink) {
  Write(std::string(64, 'a'));
  std::filesystem::rename(path(), folder / "elsewhere");
  std::filesystem::create_symlink(folder / "elsewhere", path());
  ASSERT_FALSE(Read().has_value());
  EXPECT_EQ(Read().error().code, ErrorCode::kIo);
}

TEST_F(TokenKey, OfADirectoryThatIsNotThereIsAnError) {
  const auto read = ReadOrMakeTokenKey(folder / "none", SystemRandom());
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace stele::server
