// An engine that signs heads of its log, through the public header; what it left is read as
// auditors read it.
#include <fstream>

#include "eventstore/rocksdb_store.h"
#include "eventstore/signed_head.h"
#include "eventstore/tree_reader.h"
#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

using eventstore::NoteSigner;
using eventstore::NoteVerifier;

class EmbedAuditKey : public EmbedTest {
 protected:
  AuditKey KeyWith(const std::string& text, bool closed = true) const {
    const std::string path = directory_ + "/audit.key";
    std::ofstream(path, std::ios::trunc) << text;
    using std::filesystem::perms;
    std::filesystem::permissions(
        path, perms::owner_read | perms::owner_write | (closed ? perms::none : perms::others_read));
    return {.file = path};
  }
  std::string data() const { return directory_ + "/data"; }
  Result<std::unique_ptr<Engine>> OpenWith(const AuditKey& key) const {
    return Engine::Open({.builtin_tasks = false, .audit_key = key}, data());
  }
  void Work(Engine& engine) const {
    Get(
        engine.RegisterText("version: '1.0'\nname: waits\nsteps:\n"
                            "  - {id: w, type: signal, config: {name: go}}\n"));
    for (int i = 0; i < 3; ++i) Get(engine.Start({.definition = "waits"}));
  }
  // The sizes of the log's heads, each of which is signed, and the log's own last.
  std::vector<uint64_t> SizesOf(const NoteVerifier& verifier) const {
    eventstore::RocksDbOptions options;
    options.read_only = true;
    const auto store = eventstore::OpenRocksDbStore(data(), options);
    EXPECT_TRUE(store.has_value());
    const auto tree = (*store)->Tree(ShardId(0));
    std::vector<uint64_t> sizes;
    const auto read = tree->ForEachHead(0, [&](uint64_t size, std::string_view note) {
      const auto head = eventstore::ParseHead(note);
      EXPECT_TRUE(head.has_value() && eventstore::CheckSignature(*head, verifier).has_value());
      sizes.push_back(size);
      return stele::Result<bool>(true);
    });
    EXPECT_TRUE(read.has_value());
    sizes.push_back(tree->size());
    return sizes;
  }
};

TEST_F(EmbedAuditKey, SignsAHeadOverTheWholeLogWhenTheEngineGoes) {
  const NoteSigner signer = NoteSigner::Generate("log.example");
  Work(*Get(OpenWith(KeyWith(signer.ToText()))));
  const auto sizes = SizesOf(signer.verifier());
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(sizes[0], sizes[1]);
  EXPECT_GE(sizes[0], 4u);
}

TEST_F(EmbedAuditKey, SignsAsOftenAsItIsTold) {
  const NoteSigner signer = NoteSigner::Generate("log.example");
  AuditKey key = KeyWith(signer.ToText());
  key.records = 1;
  Work(*Get(OpenWith(key)));
  EXPECT_GE(SizesOf(signer.verifier()).size(), 5u) << "each start waits for a block of its own";
}

TEST_F(EmbedAuditKey, IsNoneUnlessItIsGiven) {
  Work(*Get(OpenWith({})));
  EXPECT_EQ(SizesOf(NoteSigner::Generate("log.example").verifier()).size(), 1u);
}

TEST_F(EmbedAuditKey, IsRefusedWhenItIsNoneOrSeenByOthers) {
  EXPECT_EQ(CodeOf(OpenWith(KeyWith("nonsense"))), "STL0312");
  EXPECT_EQ(CodeOf(OpenWith({.file = directory_ + "/none"})), "STL0312");
  EXPECT_EQ(CodeOf(OpenWith(KeyWith(NoteSigner::Generate("a").ToText(), /*closed=*/false))),
            "STL0804");
}

}  // namespace
}  // namespace stele::embed
