#include "replay/audit/proof.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "eventstore/tree_reader.h"
#include "replay/audit/consistency.h"
#include "replay/audit/document.h"
#include "tests/replay/recorded_log.h"

namespace stele::replay {
namespace {

using eventstore::NoteSigner;
using eventstore::NoteVerifier;

const InstanceId kFirst(1), kSecond(2);

// Two instances whose records alternate, under a key.
class Proofs : public testing::Test {
 protected:
  Proofs() { Fill(log_, "printed"); }

  // `printed`: what the step of the first instance said.
  static void Fill(RecordedLog& log, const std::string& printed) {
    model::Instance first = log.Start(1), second = log.Start(2);
    model::CompleteAttempt done = Complete(1);
    done.log = printed;
    log.Decide(first, done);
    log.Decide(second, Complete(1));
    log.Decide(first, Complete(2));
  }
  MadeProof Make(InstanceId instance, std::optional<Seq> event = std::nullopt) {
    log_.store.SignHeads({signer_, 1'000'000});
    auto made = MakeCurrentProof(log_.store, RecordedLog::kShard, instance, event);
    EXPECT_TRUE(made.has_value()) << made.error().ToString();
    return *std::move(made);
  }
  Result<CheckedProof> Check(const Proof& proof) const {
    return CheckProof(proof, {signer_->verifier()});
  }
  void ExpectBad(const Proof& proof) const {
    const auto checked = Check(proof);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, ErrorCode::kBadProof);
  }
  std::string NewestHead() {
    EXPECT_TRUE(log_.store.SignHead(RecordedLog::kShard).has_value());
    return **log_.store.Tree(RecordedLog::kShard)->NewestHead();
  }

  const std::shared_ptr<const NoteSigner> signer_ =
      std::make_shared<const NoteSigner>(NoteSigner::Generate("log.example"));
  RecordedLog log_;
};

Result<Proof> Read(const std::string& text) {
  const auto document = ParseDocument(text, "a proof");
  if (!document.has_value()) return std::unexpected(document.error());
  return ParseProof(*document);
}

TEST_F(Proofs, HoldForAnInstanceAndSayWhatItsRecordsAre) {
  const MadeProof made = Make(kFirst);
  EXPECT_EQ(made.left_out, 0u);
  const auto checked = Check(made.proof);
  ASSERT_TRUE(checked.has_value()) << checked.error().ToString();
  EXPECT_EQ(checked->instance, kFirst);
  EXPECT_EQ(checked->head.size, log_.store.NextPosition(RecordedLog::kShard).value - 1);
  ASSERT_EQ(checked->records.size(), 3u);
  EXPECT_EQ(checked->records[0].first, Seq(1));
  EXPECT_EQ(checked->records[0].events[0].Find("event")->as_string(), "instance_started");
  EXPECT_EQ(checked->records[2].events.back().Find("event")->as_string(), "instance_completed");
}

TEST_F(Proofs, HoldForOneEvent) {
  const auto checked = Check(Make(kSecond, Seq(2)).proof);
  ASSERT_TRUE(checked.has_value()) << checked.error().ToString();
  ASSERT_EQ(checked->records.size(), 1u);
  EXPECT_LE(checked->records[0].first, Seq(2));
  EXPECT_GE(checked->records[0].last, Seq(2));
}

TEST_F(Proofs, ComeBackOutOfTheirDocument) {
  const Proof proof = Make(kFirst).proof;
  const auto read = Read(ToPrettyJson(ToJson(proof)));
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_TRUE(Check(*read).has_value());
  EXPECT_EQ(ToJson(ToJson(*read)), ToJson(ToJson(proof)));
}

TEST_F(Proofs, FailForAnyChangedByte) {
  const std::string text = ToJson(ToJson(Make(kSecond).proof));
  for (size_t at = 0; at < text.size(); ++at) {
    for (const int bit : {0, 1, 3, 5, 6}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const auto read = Read(changed);
      ASSERT_FALSE(read.has_value() && Check(*read).has_value())
          << "byte " << at << ": " << changed.substr(at < 20 ? 0 : at - 20, 40);
    }
  }
}

TEST_F(Proofs, FailForRecordsInAnotherOrderLeftOutOrPutIn) {
  const Proof good = Make(kFirst).proof, other = Make(kSecond).proof;
  ASSERT_EQ(good.records.size(), 3u);
  Proof bad = good;
  std::swap(bad.records[0], bad.records[1]);
  ExpectBad(bad);
  for (const size_t left_out : {0, 1}) {
    bad = good;
    bad.records.erase(bad.records.begin() + static_cast<ptrdiff_t>(left_out));
    ExpectBad(bad);
  }
  bad = good;
  bad.records.insert(bad.records.begin() + 1, other.records[0]);
  ExpectBad(bad);
  bad = good;
  bad.records.push_back(good.records.back());
  ExpectBad(bad);
  bad = good;
  bad.records.clear();
  ExpectBad(bad);
  bad = good;
  bad.instance = kSecond;
  ExpectBad(bad);
  bad = good;
  bad.event = Seq(2);
  ExpectBad(bad);
  bad = good;
  std::swap(bad.records[0].position, bad.records[1].position);
  ExpectBad(bad);
}

TEST_F(Proofs, FailForTheWholeLogWrittenAnewWithoutTheKey) {
  const std::string kept = [&] {
    Make(kFirst);
    return NewestHead();
  }();
  RecordedLog forged;
  Fill(forged, "another thing");
  // Whoever can write all of it computes chain and tree anew, and signs with a key of the same
  // name.
  forged.store.SignHeads(
      {std::make_shared<const NoteSigner>(NoteSigner::Generate("log.example")), 1});
  const auto made = MakeCurrentProof(forged.store, RecordedLog::kShard, kFirst, std::nullopt);
  ASSERT_TRUE(made.has_value()) << made.error().ToString();
  ExpectBad(made->proof);
  // With the head that the operator's key once signed instead:
  Proof with_kept = made->proof;
  with_kept.head = kept;
  ExpectBad(with_kept);
  const auto growth = ProveGrowth(forged.store, RecordedLog::kShard, kept, kept);
  ASSERT_FALSE(growth.has_value());
  EXPECT_EQ(growth.error().code, ErrorCode::kBadProof);
}

TEST_F(Proofs, LeaveOutWhatNoHeadIsOverWhenNobodySigns) {
  const auto none = MakeProof(log_.store, RecordedLog::kShard, kFirst, std::nullopt);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kUnknownHead);
  Make(kFirst);
  model::Instance later = log_.Start(3);
  const auto uncovered = MakeProof(log_.store, RecordedLog::kShard, InstanceId(3), std::nullopt);
  ASSERT_FALSE(uncovered.has_value());
  EXPECT_EQ(uncovered.error().code, ErrorCode::kUnknownHead);
  Make(InstanceId(3));
  log_.Decide(later, Complete(1));
  const auto part = MakeProof(log_.store, RecordedLog::kShard, InstanceId(3), std::nullopt);
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->left_out, 1u);
  EXPECT_TRUE(Check(part->proof).has_value());
}

TEST_F(Proofs, AreRefusedOfWhatThereIsNone) {
  Make(kFirst);
  for (const auto& [instance, event] :
       {std::pair(InstanceId(9), std::optional<Seq>()), {kFirst, Seq(1000)}}) {
    const auto made = MakeProof(log_.store, RecordedLog::kShard, instance, event);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, ErrorCode::kUnknownInstance);
  }
  const auto large = MakeProof(log_.store, RecordedLog::kShard, kFirst, std::nullopt, 100);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ErrorCode::kLimitExceeded);
  // The hashes beside their ways count, too.
  const Proof proof = Make(kFirst).proof;
  size_t bytes = 0, hashes = 0;
  for (const ProvedRecord& record : proof.records) {
    bytes += record.frame.size();
    hashes += record.path.size();
  }
  EXPECT_GT(hashes, 0u);
  const size_t all = bytes + 32 * hashes;
  EXPECT_TRUE(MakeProof(log_.store, RecordedLog::kShard, kFirst, std::nullopt, all).has_value());
  EXPECT_FALSE(
      MakeProof(log_.store, RecordedLog::kShard, kFirst, std::nullopt, all - 1).has_value());
}

TEST_F(Proofs, OfGrowthHoldBetweenHeadsAndForNoOther) {
  Make(kFirst);
  const std::string older = NewestHead();
  model::Instance third = log_.Start(3);
  log_.Decide(third, Complete(1));
  const auto growth = ProveGrowthUntilNow(log_.store, RecordedLog::kShard, older);
  ASSERT_TRUE(growth.has_value()) << growth.error().ToString();
  const auto& key = signer_->verifier();
  ASSERT_TRUE(CheckGrowth(*growth, {key}).has_value());
  const std::string text = ToJson(ToJson(*growth));
  ASSERT_TRUE(IsGrowth(*ParseDocument(text, "a proof")));
  for (size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 7));
    const auto document = ParseDocument(changed, "a proof");
    if (!document.has_value()) continue;
    const auto read = ParseGrowth(*document);
    EXPECT_FALSE(read.has_value() && CheckGrowth(*read, {key}).has_value()) << at;
  }
  EXPECT_FALSE(ProveGrowth(log_.store, RecordedLog::kShard, growth->newer, older).has_value());
  Growth swapped{growth->newer, growth->older, growth->path};
  EXPECT_FALSE(CheckGrowth(swapped, {key}).has_value());
}

TEST_F(Proofs, OfGrowthMayHaveHeadsByTwoKeys) {
  Make(kFirst);
  const std::string older = NewestHead();
  const NoteVerifier first = signer_->verifier();
  const auto second = std::make_shared<const NoteSigner>(NoteSigner::Generate("log.example"));
  log_.store.SignHeads({second, 1'000'000});
  model::Instance third = log_.Start(3);
  log_.Decide(third, Complete(1));
  const auto growth = ProveGrowthUntilNow(log_.store, RecordedLog::kShard, older);
  ASSERT_TRUE(growth.has_value()) << growth.error().ToString();
  EXPECT_FALSE(CheckGrowth(*growth, {first}).has_value());
  EXPECT_FALSE(CheckGrowth(*growth, {second->verifier()}).has_value());
  const auto checked = CheckGrowth(*growth, {first, second->verifier()});
  ASSERT_TRUE(checked.has_value()) << checked.error().ToString();
  EXPECT_EQ(checked->older_key, first.Title());
  EXPECT_EQ(checked->newer_key, second->verifier().Title());
}

TEST_F(Proofs, AreUnderHeadsThatNameTheLogOfTheirKey) {
  Proof proof = Make(kFirst).proof;
  eventstore::TreeHead head = eventstore::ParseHead(proof.head)->head;
  head.origin = "other.example";
  proof.head = eventstore::SignHead(head, *signer_);
  ExpectBad(proof);
}

TEST(Document, ThatIsNoProofIsNotABadOne) {
  EXPECT_EQ(ParseDocument("", "a proof").error().code, ErrorCode::kInvalidJson);
  EXPECT_EQ(ParseDocument("no JSON", "a proof").error().code, ErrorCode::kInvalidJson);
  for (const char* text : {"[]", "{}", "c2sp.org/tlog-proof@v1\nindex 0\n"})
    EXPECT_EQ(ParseDocument(text, "a proof").error().code, ErrorCode::kInvalidInput) << text;
}

TEST(Document, MayBeLargerThanWhatIsGivenElsewhere) {
  const std::string text = R"({"format":"x","frame":")" + std::string(kMaxJsonBytes, 'A') + R"("})";
  EXPECT_TRUE(ParseDocument(text, "a proof").has_value());
}

TEST_F(Proofs, OfOneRecordHaveTheFormOfOthers) {
  const Proof proof = Make(kFirst, Seq(1)).proof;
  const std::string text = ToTlogProof(proof);
  EXPECT_TRUE(text.starts_with("c2sp.org/tlog-proof@v1\nextra "));
  EXPECT_NE(text.find("\nindex " + std::to_string(proof.records[0].position.value - 1) + "\n"),
            std::string::npos);
  EXPECT_TRUE(text.ends_with("\n\n" + proof.head));
}

}  // namespace
}  // namespace stele::replay
