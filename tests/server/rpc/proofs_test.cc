// Proofs for auditors, over RPC.
#include "replay/audit/consistency.h"
#include "replay/audit/proof.h"
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

using eventstore::CheckSignature;
using eventstore::ParseHead;

class RpcProofs : public RpcWorld {
 protected:
  RpcProofs()
      : RpcWorld(RpcOptions{.program = "stele test"},
                 {.folder = "", .sealed = false, .signing = true}) {
    world_.Register("long", "{id: hang, type: script}");
    id_ = StartOne();
  }
  uint64_t StartOne() {
    const uint64_t id = Started("long");
    world_.Settle();
    return id;
  }
  const eventstore::NoteVerifier& verifier() const { return *world_.store().head_verifier(); }
  api::Log::Client Log() { return Session().logRequest().send().getLog(); }
  auto Proving(uint64_t id, uint64_t event = 0) {
    auto request = Log().proveRequest();
    request.setInstance(id);
    request.setEvent(event);
    return request.send();
  }
  auto Growing(const std::string& older, const std::string& newer = "") {
    auto request = Log().growthRequest();
    request.setOlder(older);
    request.setNewer(newer);
    return request.send();
  }
  // What the text of a document is.
  static Value Read(capnp::Text::Reader text) {
    auto document = ParseJson({text.begin(), text.size()});
    EXPECT_TRUE(document.has_value());
    return document.value_or(Value());
  }
  std::string SignedNow(uint64_t id) {
    const Value proof = Read(Await(Proving(id)).getProof());
    return proof.Find("head")->as_string();
  }
  std::vector<std::string> Heads(uint64_t from, uint32_t limit = 0) {
    auto request = Log().headsRequest();
    request.setFrom(from);
    request.setLimit(limit);
    const auto answer = Await(request.send());
    std::vector<std::string> heads;
    for (const auto note : answer.getHeads()) heads.emplace_back(note.begin(), note.size());
    return heads;
  }

  uint64_t id_ = 0;
};

TEST_F(RpcProofs, AreOfAnInstanceOrOfOneEvent) {
  for (const uint64_t event : {0, 2}) {
    const auto answer = Await(Proving(id_, event));
    EXPECT_EQ(answer.getLeftOut(), 0u);
    const auto proof = replay::ParseProof(Read(answer.getProof()));
    ASSERT_TRUE(proof.has_value()) << proof.error().ToString();
    EXPECT_EQ(proof->event.has_value(), event != 0);
    const auto checked = replay::CheckProof(*proof, {verifier()});
    ASSERT_TRUE(checked.has_value()) << checked.error().ToString();
    EXPECT_EQ(checked->instance, InstanceId(id_));
    EXPECT_EQ(checked->head.size, answer.getCovered());
  }
  EXPECT_EQ(CodeOf(Proving(99)), ErrorCode::kUnknownInstance);
  EXPECT_EQ(CodeOf(Proving(id_, 1'000'000)), ErrorCode::kUnknownInstance);
}

TEST_F(RpcProofs, AreUnderHeadsThatAreListed) {
  EXPECT_TRUE(Heads(0).empty());
  const std::string older = SignedNow(id_), newer = SignedNow(StartOne());
  EXPECT_EQ(Heads(0), (std::vector<std::string>{older, newer}));
  EXPECT_EQ(Heads(0, 1), std::vector<std::string>{older});
  EXPECT_EQ(Heads(UINT64_MAX), std::vector<std::string>{newer});
  EXPECT_TRUE(CheckSignature(*ParseHead(newer), verifier()).has_value());
}

TEST_F(RpcProofs, OfGrowthAreBetweenTwoHeadsOrUntilNow) {
  const std::string older = SignedNow(id_);
  StartOne();
  const auto growth = replay::ParseGrowth(Read(Await(Growing(older)).getProof()));
  ASSERT_TRUE(growth.has_value()) << growth.error().ToString();
  const auto checked = replay::CheckGrowth(*growth, {verifier()});
  ASSERT_TRUE(checked.has_value()) << checked.error().ToString();
  EXPECT_EQ(growth->older, older);
  EXPECT_LT(checked->older.size, checked->newer.size);
  EXPECT_EQ(CodeOf(Growing(growth->newer, older)), ErrorCode::kBadProof);
  EXPECT_EQ(CodeOf(Growing("no head")), ErrorCode::kBadProof);
}

TEST_F(RpcProofs, AreNotForEverybody) {
  auto log = Narrowed("operator").logRequest().send().getLog();
  auto prove = log.proveRequest();
  prove.setInstance(id_);
  EXPECT_EQ(CodeOf(prove.send()), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(log.headsRequest().send()), ErrorCode::kForbidden);
  auto growth = log.growthRequest();
  growth.setOlder("no head");
  EXPECT_EQ(CodeOf(growth.send()), ErrorCode::kForbidden);
}

}  // namespace
}  // namespace stele::server::rpc
