// Proofs for auditors, over REST.
#include "replay/audit/consistency.h"
#include "replay/audit/proof.h"
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

using eventstore::CheckSignature;
using eventstore::ParseHead;

class RestProofs : public testing::Test {
 protected:
  explicit RestProofs(bool signing = true)
      : world_(nullptr, {.folder = "", .sealed = false, .signing = signing}) {
    world_.served.Register("long", "{id: hang, type: script}");
    id_ = Start();
  }
  int64_t Start() {
    world_.who = ServedWorld::Somebody(Role::kAdmin);
    const int64_t id = world_.Start("long");
    world_.served.Settle();
    world_.who = ServedWorld::Somebody(Role::kAuditor);
    return id;
  }
  const eventstore::NoteVerifier& verifier() const {
    return *world_.served.store().head_verifier();
  }
  Answered Prove(int64_t id, const std::string& query = "") {
    return world_.Get(fmt::format("/instances/{}/proof{}", id, query));
  }
  // The head that a proof of the newest instance is under.
  std::string SignedNow(int64_t id) { return Prove(id).text("head"); }
  Answered Growth(const std::string& older, const std::string& newer = "") {
    Object body{{"older", older}};
    if (!newer.empty()) body.Set("newer", newer);
    return world_.Post("/audit/consistency", stele::ToJson(Value(std::move(body))));
  }

  RestWorld world_;
  int64_t id_ = 0;
};

TEST_F(RestProofs, AreOfAnInstanceOrOfOneEvent) {
  const Answered whole = Prove(id_);
  ASSERT_EQ(whole.status, 200) << whole.body;
  const auto proof = replay::ParseProof(whole.json);
  ASSERT_TRUE(proof.has_value()) << proof.error().ToString();
  const auto checked = replay::CheckProof(*proof, {verifier()});
  ASSERT_TRUE(checked.has_value()) << checked.error().ToString();
  EXPECT_EQ(checked->instance.value, static_cast<uint64_t>(id_));
  EXPECT_EQ(checked->records.front().first, Seq(1));
  EXPECT_EQ(checked->records.front().actor, "admin");

  const auto one = replay::ParseProof(Prove(id_, "?event=2").json);
  ASSERT_TRUE(one.has_value());
  ASSERT_EQ(one->records.size(), 1u);
  EXPECT_EQ(one->event, Seq(2));
  EXPECT_TRUE(replay::CheckProof(*one, {verifier()}).has_value());
}

TEST_F(RestProofs, AreNoneOfWhatThereIsNot) {
  EXPECT_EQ(Prove(99).status, 404);
  EXPECT_EQ(Prove(id_, "?event=1000000").status, 404);
  EXPECT_EQ(world_.Refusal(422, Prove(id_, "?event=0")), "STL0406");
}

TEST_F(RestProofs, AreUnderHeadsThatAreListed) {
  EXPECT_TRUE(world_.Get("/audit/heads").at("heads").as_array().empty());
  const std::string older = SignedNow(id_), newer = SignedNow(Start());
  const Answered all = world_.Get("/audit/heads");
  ASSERT_EQ(all.at("heads").as_array().size(), 2u) << all.body;
  EXPECT_EQ(all.text("heads/0"), older);
  EXPECT_EQ(all.text("heads/1"), newer);
  for (const std::string& note : {older, newer})
    EXPECT_TRUE(CheckSignature(*ParseHead(note), verifier()).has_value());
  const Answered first = world_.Get("/audit/heads?limit=1");
  ASSERT_EQ(first.at("heads").as_array().size(), 1u);
  EXPECT_EQ(first.text("heads/0"), older);
  for (const uint64_t from : {ParseHead(older)->head.size + 1, uint64_t{1} << 40}) {
    const Answered rest = world_.Get(fmt::format("/audit/heads?from={}", from));
    ASSERT_EQ(rest.at("heads").as_array().size(), 1u) << from;
    EXPECT_EQ(rest.text("heads/0"), newer);
  }
}

TEST_F(RestProofs, OfGrowthAreBetweenTwoHeadsOrUntilNow) {
  const std::string older = SignedNow(id_);
  const int64_t second = Start();
  const Answered until_now = Growth(older);
  ASSERT_EQ(until_now.status, 200) << until_now.body;
  const auto growth = replay::ParseGrowth(until_now.json);
  ASSERT_TRUE(growth.has_value());
  const auto checked = replay::CheckGrowth(*growth, {verifier()});
  ASSERT_TRUE(checked.has_value()) << checked.error().ToString();
  EXPECT_LT(checked->older.size, checked->newer.size);
  EXPECT_EQ(growth->older, older);
  EXPECT_EQ(growth->newer, SignedNow(second)) << "nothing new is signed over the same records";

  const auto between = replay::ParseGrowth(Growth(older, growth->newer).json);
  ASSERT_TRUE(between.has_value());
  EXPECT_TRUE(replay::CheckGrowth(*between, {verifier()}).has_value());
  EXPECT_EQ(world_.Refusal(422, Growth(growth->newer, older)), "STL0313");
  EXPECT_EQ(world_.Refusal(422, Growth("no head")), "STL0313");
}

TEST_F(RestProofs, AreNotForEverybody) {
  const std::string head = SignedNow(id_);
  world_.who = ServedWorld::Somebody(Role::kOperator);
  EXPECT_EQ(world_.Refusal(403, Prove(id_)), "STL1002");
  EXPECT_EQ(world_.Refusal(403, world_.Get("/audit/heads")), "STL1002");
  EXPECT_EQ(world_.Refusal(403, Growth(head)), "STL1002");
}

class RestProofsWithoutAKey : public RestProofs {
 protected:
  RestProofsWithoutAKey() : RestProofs(/*signing=*/false) {}
};

TEST_F(RestProofsWithoutAKey, AreNone) {
  EXPECT_EQ(world_.Refusal(404, Prove(id_)), "STL0314");
  EXPECT_TRUE(world_.Get("/audit/heads").at("heads").as_array().empty());
}

}  // namespace
}  // namespace stele::server::rest
