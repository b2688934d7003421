#include "engine/secrets/key_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <csignal>

#include "engine/secrets/key_command.h"
#include "secret_files.h"

namespace stele::secrets {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The bytes 0, 1, … 31.
constexpr const char* kHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr const char* kVariable = "STELE_KEY_SOURCE_TEST";

void ExpectKey(const KeySource& source) {
  const auto key = ReadKey(source);
  ASSERT_TRUE(key.has_value()) << key.error().ToString();
  EXPECT_EQ(key->ToText(), kBase64);
}

// The error tells `part`, and nothing of a key.
void ExpectRefused(const KeySource& source, ErrorCode code, const std::string& part) {
  const auto key = ReadKey(source);
  ASSERT_FALSE(key.has_value()) << part;
  EXPECT_EQ(key.error().code, code) << key.error().ToString();
  EXPECT_THAT(key.error().message,
              AllOf(HasSubstr("Expected"), HasSubstr(part), Not(HasSubstr("0a0b0c")),
                    Not(HasSubstr("AAECAwQF")), Not(HasSubstr("hunter2"))));
}

TEST(KeySource, ReadsTheSameKeyFromEachPlaceInEachForm) {
  const Directory files;
  std::string raw;
  for (char byte = 0; byte < 32; ++byte) raw += byte;
  ExpectKey({.file = files.Write("raw", raw)});
  ExpectKey({.file = files.Write("hex", kHex)});
  ExpectKey({.file = files.Write("base64", std::string(kBase64) + "\n")});
  {
    const Variable variable(kVariable, kHex);
    ExpectKey({.environment = kVariable});
  }
  ExpectKey({.command = std::string("echo ") + kBase64});
  ExpectKey({.command = "cat '" + files.Path("hex") + "'"});
}

TEST(KeySource, RefusesFilesThatHoldNoKeyOrCannotBeRead) {
  const Directory files;
  ExpectRefused({.file = files.Path("none")}, ErrorCode::kMasterKey, "found no such file");
  ExpectRefused({.file = files.Write("short", std::string(kHex).substr(2))}, ErrorCode::kMasterKey,
                "a text of 62 bytes");
  ExpectRefused({.file = files.Write("long", std::string(kHex) + "00")}, ErrorCode::kMasterKey,
                "a text of 66 bytes");
  ExpectRefused({.file = files.Write("word", "hunter2")}, ErrorCode::kMasterKey, "word");
  ExpectRefused({.file = files.Write("empty", "")}, ErrorCode::kMasterKey, "empty");
  ExpectRefused({.file = files.Write("open", kHex, 0604)}, ErrorCode::kSecretExposed, "mode 0604");
  ExpectRefused({.file = files.Write("much", std::string(5000, ' '))}, ErrorCode::kLimitExceeded,
                "found 5000");
  ExpectRefused({.file = files.path()}, ErrorCode::kIo, "a regular file");
  ASSERT_EQ(mkfifo(files.Path("pipe").c_str(), 0600), 0);
  ExpectRefused({.file = files.Path("pipe")}, ErrorCode::kIo, "a regular file");
  std::filesystem::create_symlink(files.Path("round"), files.Path("round"));
  ExpectRefused({.file = files.Path("round")}, ErrorCode::kIo, "round");
}

TEST(KeySource, RefusesAVariableThatHoldsNoKey) {
  ExpectRefused({.environment = kVariable}, ErrorCode::kMasterKey, kVariable);
  {
    const Variable variable(kVariable, "");
    ExpectRefused({.environment = kVariable}, ErrorCode::kMasterKey, "found none");
  }
  const Variable variable(kVariable, "hunter2");
  ExpectRefused({.environment = kVariable}, ErrorCode::kMasterKey, "a text of 7 bytes");
}

TEST(KeySource, IsOnePlace) {
  const Directory files;
  const Variable variable(kVariable, kHex);
  ExpectRefused({.file = files.Write("key", kHex), .environment = kVariable}, ErrorCode::kUsage,
                "more than one");
}

TEST(KeySource, RefusesACommandThatFailsOrPrintsNoKey) {
  const std::string print = std::string("echo ") + kHex;
  for (const auto& [command, found] : std::vector<std::pair<std::string, std::string>>{
           {print + "; exit 3", "it ended with 3"},
           {print + "; kill -9 $$", "signal 9 ended it"},
           {"no-such-program-as-this 2>&1", "it ended with 127"},
           {"true", "a text of 0 bytes"},
           {"echo hunter2", "a text of 7 bytes"},
           {print + "; " + print, "a text of 129 bytes"},
           {"yes " + std::string(kHex), "more than 4096 bytes"}})
    ExpectRefused({.command = command}, ErrorCode::kMasterKey, found);
}

TEST(KeySource, KillsACommandThatDoesNotEnd) {
  const Directory files;
  for (const std::string hangs : {"", "exec > /dev/null; ", "trap '' TERM INT; "}) {
    const std::string note = files.Path("process");
    const std::string command = "echo $$ > '" + note + "'; " + hangs + "exec tail -f /dev/null";
    // It has ended by then if it is slow: it is asked for again with more time.
    for (int64_t patience_ms = 20; files.Read("process").empty(); patience_ms *= 2)
      ExpectRefused({.command = command, .command_patience_ms = patience_ms}, ErrorCode::kMasterKey,
                    "it had not ended after");
    const pid_t process = std::stoi(files.Read("process"));
    EXPECT_EQ(kill(process, 0), -1) << "it is still there";
    EXPECT_EQ(errno, ESRCH);
    files.Write("process", "");
  }
}

TEST(KeySource, DoesNotWaitForWhatTheCommandLeavesRunning) {
  const Directory files;
  // It holds the output open until the test closes the FIFO that it reads.
  const std::string fifo = files.Path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ExpectKey({.command = "cat < '" + fifo + "' & echo " + kHex});
  std::ofstream(fifo) << "the end";
}

// Whoever reads the key may have made signals of his own mean something else.
TEST(KeySource, StartsTheCommandWithSignalsAsTheyAreByThemselves) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &old);
  const auto printed = OutputOfKeyCommand(
      "sed -n 's/^Sig\\(Blk\\|Ign\\):[[:space:]]*//p' /proc/self/status", 60'000);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  std::signal(SIGPIPE, before);
  ASSERT_TRUE(printed.has_value()) << printed.error().ToString();
  const auto bit = [](int number) { return uint64_t{1} << (number - 1); };
  const size_t second = printed->find('\n') + 1;
  ASSERT_EQ(printed->size(), 34u) << *printed;
  EXPECT_EQ(std::stoull(*printed, nullptr, 16) & bit(SIGTERM), 0u) << "blocked: " << *printed;
  EXPECT_EQ(std::stoull(printed->substr(second), nullptr, 16) & bit(SIGPIPE), 0u) << *printed;
}

}  // namespace
}  // namespace stele::secrets
