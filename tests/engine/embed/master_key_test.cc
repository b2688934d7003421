// An engine whose payloads are sealed, through the public header.
#include <zstd.h>

#include <fstream>
#include <iterator>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

constexpr const char* kHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kOther = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kVariable = "STELE_EMBED_TEST_KEY";
constexpr const char* kSecret = "q7Zk-whatOnly-TheyKnow-93x";

// The bytes, and what stands in the frames of zstd that begin anywhere among them.
std::string WithDecompressed(const std::string& bytes) {
  std::string text = bytes;
  for (size_t at = bytes.find("\x28\xb5\x2f\xfd"); at != std::string::npos;
       at = bytes.find("\x28\xb5\x2f\xfd", at + 1)) {
    const size_t most = bytes.size() - at;
    const size_t whole = ZSTD_findFrameCompressedSize(bytes.data() + at, most);
    std::string part(1u << 20, '\0');
    if (ZSTD_isError(whole) != 0) continue;
    const size_t size = ZSTD_decompress(part.data(), part.size(), bytes.data() + at, whole);
    if (ZSTD_isError(size) == 0) text.append(part, 0, size);
  }
  return text;
}

class EmbedMasterKey : public EmbedTest {
 protected:
  ~EmbedMasterKey() override { unsetenv(kVariable); }

  // A file beside the engine's directory.
  std::string KeyFile(const std::string& name, const std::string& text, bool closed = true) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    using std::filesystem::perms;
    std::filesystem::permissions(
        path, perms::owner_read | perms::owner_write | (closed ? perms::none : perms::others_read));
    return path;
  }
  std::string data() const { return directory_ + "/data"; }
  Result<std::unique_ptr<Engine>> OpenWith(const MasterKey& key) {
    return Engine::Open({.builtin_tasks = false, .master_key = key}, data());
  }
  // An instance that holds the secret and waits for a signal.
  void Use(const MasterKey& key) {
    auto engine = Get(OpenWith(key));
    ASSERT_NE(engine, nullptr);
    Get(
        engine->RegisterText("version: '1.0'\nname: waits\nsteps:\n"
                             "  - {id: w, type: signal, config: {name: go}}\n"));
    Get(engine->Start(
        {.definition = "waits", .input = std::string(R"({"secret":")") + kSecret + "\"}"}));
  }
  bool AnyFileShows(const std::string& text) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(file), {});
      if (WithDecompressed(bytes).find(text) != std::string::npos) return true;
    }
    return false;
  }
};

TEST_F(EmbedMasterKey, ComesFromAFileAVariableOrACommand) {
  const std::string file = KeyFile("key", kHex);
  setenv(kVariable, kHex, 1);
  Use({.file = file});
  uint64_t open = 1;
  for (const MasterKey& key :
       {MasterKey{.environment = kVariable}, MasterKey{.command = "cat '" + file + "'"},
        MasterKey{.file = file}}) {
    const auto engine = Get(OpenWith(key));
    ASSERT_NE(engine, nullptr);
    EXPECT_EQ(Get(engine->Continue()), open);
    EXPECT_EQ(Get(engine->Query()).rows.size(), open);
    EXPECT_NE(Get(engine->History(1)).find(kSecret), std::string::npos);
    EXPECT_NE(Get(engine->Start({.definition = "waits"})), 0u);
    ++open;
  }
  const auto engine = Get(OpenWith({.file = file}));
  EXPECT_EQ(Get(engine->Continue()), open);
  Do(engine->Signal(1, "go"));
  EXPECT_EQ(Get(engine->Wait(1, kLong)).status, "completed");
}

TEST_F(EmbedMasterKey, KeepsPayloadsOutOfTheFiles) {
  Use({.file = KeyFile("key", kHex)});
  EXPECT_FALSE(AnyFileShows(kSecret));
  std::filesystem::remove_all(data());
  Use({});
  EXPECT_TRUE(AnyFileShows(kSecret)) << "a search that finds nothing";
}

TEST_F(EmbedMasterKey, IsNeededFromThenOn) {
  const std::string file = KeyFile("key", kHex);
  Use({.file = file});
  EXPECT_EQ(CodeOf(OpenWith({})), "STL0311");
  EXPECT_EQ(CodeOf(OpenWith({.file = KeyFile("other", kOther)})), "STL0311");
  EXPECT_EQ(CodeOf(OpenWith({.file = KeyFile("short", "0001")})), "STL0311");
  EXPECT_EQ(CodeOf(OpenWith({.file = directory_ + "/none"})), "STL0311");
  EXPECT_EQ(CodeOf(OpenWith({.file = KeyFile("open", kHex, /*closed=*/false)})), "STL0804");
  EXPECT_EQ(CodeOf(OpenWith({.environment = kVariable})), "STL0311");
  EXPECT_EQ(CodeOf(OpenWith({.command = "exit 3"})), "STL0311");
  EXPECT_EQ(CodeOf(OpenWith({.file = file, .command = "true"})), "STL0701");
  EXPECT_EQ(CodeOf(OpenWith({.file = file})), "");
}

TEST_F(EmbedMasterKey, SealsFromTheMomentOnThatItIsGiven) {
  Use({});
  const auto engine = Get(OpenWith({.file = KeyFile("key", kHex)}));
  ASSERT_NE(engine, nullptr);
  EXPECT_NE(Get(engine->History(1)).find(kSecret), std::string::npos);
  Get(engine->Start({.definition = "waits", .input = R"({"secret":"other-K4w-words"})"}));
  EXPECT_TRUE(AnyFileShows(kSecret));
  EXPECT_FALSE(AnyFileShows("other-K4w-words"));
}

}  // namespace
}  // namespace stele::embed
