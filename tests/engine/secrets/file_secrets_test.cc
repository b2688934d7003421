#include "engine/secrets/file_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/secrets/limits.h"
#include "secret_files.h"

namespace stele::secrets {
namespace {

using testing::HasSubstr;
using testing::Not;

std::unique_ptr<FileSecrets> Opened(const std::string& path) {
  auto secrets = FileSecrets::Open(path);
  EXPECT_TRUE(secrets.has_value()) << secrets.error().ToString();
  return std::move(secrets).value();
}

Error Refusal(const std::string& path) {
  const auto secrets = FileSecrets::Open(path);
  EXPECT_FALSE(secrets.has_value());
  return secrets.has_value() ? Error{} : secrets.error();
}

TEST(FileSecrets, TakesAValueAsItStandsBehindTheFirstEqualsSign) {
  const Directory files;
  const auto secrets =
      Opened(files.Write("env", "# remarks\n\nTOKEN=a=b \"c\" #d\r\nempty=\nlast-one= x "));
  EXPECT_EQ(secrets->Find("TOKEN"), "a=b \"c\" #d");
  EXPECT_EQ(secrets->Find("empty"), "");
  EXPECT_EQ(secrets->Find("last-one"), " x ");
  EXPECT_EQ(secrets->Find("token"), std::nullopt);
}

TEST(FileSecrets, ReadsAFileASecretOfADirectory) {
  const Directory files;
  files.Write("db", "pass\nword\n", 0400);
  files.Write("raw", "no end", 0440);
  const auto secrets = Opened(files.path());
  EXPECT_EQ(secrets->Find("db"), "pass\nword");
  EXPECT_EQ(secrets->Find("raw"), "no end");
  EXPECT_EQ(secrets->Find("other"), std::nullopt);
  EXPECT_THAT(secrets->Missing("other"), HasSubstr("no file " + files.path() + "/other"));
}

TEST(FileSecrets, FollowsTheLinksOfAMountedVolume) {
  const Directory files;
  std::filesystem::create_directory(files.Path("..2026"));
  files.Write("..2026/token", "first");
  std::filesystem::create_symlink("..2026", files.Path("..data"));
  std::filesystem::create_symlink("..data/token", files.Path("token"));
  EXPECT_EQ(Opened(files.path())->Find("token"), "first");
}

TEST(FileSecrets, LeavesItsDirectoryForNoName) {
  const Directory files;
  files.Write("outside", "x");
  std::filesystem::create_directory(files.Path("in"));
  const auto secrets = Opened(files.Path("in"));
  EXPECT_EQ(secrets->Find("../outside"), std::nullopt);
  EXPECT_EQ(secrets->Find("/etc/hostname"), std::nullopt);
}

TEST(FileSecrets, RefusesAFileThatOthersCanReadAndNamesTheMode) {
  const Directory files;
  const Error file = Refusal(files.Write("env", "A=secret", 0644));
  EXPECT_EQ(file.code, ErrorCode::kSecretExposed);
  EXPECT_THAT(file.message, HasSubstr("0644"));
  files.Write("in", "x", 0604);
  EXPECT_EQ(Refusal(files.path()).code, ErrorCode::kSecretExposed);
}

TEST(FileSecrets, ReadsAnewAndSaysWhyItNoLongerCan) {
  const Directory files;
  const std::string path = files.Write("env", "A=1");
  const auto secrets = Opened(path);
  files.Write("env", "A=2");
  EXPECT_EQ(secrets->Find("A"), "2");
  files.Write("env", "A=3", 0666);
  EXPECT_EQ(secrets->Find("A"), std::nullopt);
  EXPECT_THAT(secrets->Missing("A"), HasSubstr("0666"));
}

TEST(FileSecrets, RefusesALineWithoutShowingIt) {
  const Directory files;
  for (const std::string line : {"hunter2", "export A=hunter2", "1=hunter2", "=hunter2"}) {
    const Error error = Refusal(files.Write("env", "A=1\n" + line + "\n"));
    EXPECT_EQ(error.code, ErrorCode::kBadSecret) << line;
    EXPECT_THAT(error.message, HasSubstr("env:2:"));
    EXPECT_THAT(error.message, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(Refusal(files.Write("env", "A=1\nA=2\n")).message, HasSubstr("twice"));
}

TEST(FileSecrets, RefusesWhatIsMissingTooLongOrNoFile) {
  const Directory files;
  EXPECT_EQ(Refusal(files.Path("none")).code, ErrorCode::kIo);
  EXPECT_EQ(Refusal(files.Write("env", "A=" + std::string(kMaxValueBytes + 1, 'x'))).code,
            ErrorCode::kLimitExceeded);
  ASSERT_EQ(mkfifo(files.Path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(Refusal(files.Path("pipe")).code, ErrorCode::kIo);
}

}  // namespace
}  // namespace stele::secrets
