#include "engine/model/snapshot.h"

#include <capnp/message.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "schemas/snapshot.capnp.h"
#include "tests/engine/model/random_values.h"

namespace stele::model {
namespace {

using testing::HasSubstr;

TEST(Snapshot, GivesTheSameBytesAfterARoundTrip) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const std::string bytes = EncodeSnapshot(RandomValues(seed).MakeInstance());
    const Result<Instance> decoded = DecodeSnapshot(bytes);
    ASSERT_TRUE(decoded.has_value()) << seed << ": " << decoded.error().ToString();
    ASSERT_EQ(EncodeSnapshot(*decoded), bytes) << seed;
  }
}

TEST(Snapshot, GivesTheSameBytesForTheSameState) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(EncodeSnapshot(RandomValues(seed).MakeInstance()),
              EncodeSnapshot(RandomValues(seed).MakeInstance()));
  }
}

// Each line changes one member; none may be lost on the way.
template <class Change>
void ExpectSeen(Change change, const char* what) {
  const auto make = [] { return RandomValues(1, /*absent=*/0).MakeInstance(); };
  Instance changed = make();
  change(changed);
  const std::string bytes = EncodeSnapshot(changed);
  EXPECT_NE(bytes, EncodeSnapshot(make())) << what;
  const Result<Instance> decoded = DecodeSnapshot(bytes);
  ASSERT_TRUE(decoded.has_value()) << what << ": " << decoded.error().ToString();
  EXPECT_EQ(EncodeSnapshot(*decoded), bytes) << what;
}
#define EXPECT_SEEN(statement) ExpectSeen([](Instance& i) { statement; }, #statement)

TEST(Snapshot, SeesAChangeOfAnyMemberOfTheInstance) {
  EXPECT_SEEN(i.id = InstanceId());
  EXPECT_SEEN(i.definition = DefinitionId());
  EXPECT_SEEN(i.status = Status::kNone);
  EXPECT_SEEN(i.compensated = false);
  EXPECT_SEEN(i.priority = 0);
  EXPECT_SEEN(i.seq = Seq());
  EXPECT_SEEN(i.position = Position());
  EXPECT_SEEN(i.started = TimeUs());
  EXPECT_SEEN(i.ended = TimeUs());
  EXPECT_SEEN(i.deadline = TimeUs());
  EXPECT_SEEN(i.last_run = RunId());
  EXPECT_SEEN(i.last_scope = ScopeId());
  EXPECT_SEEN(i.parent_instance = InstanceId());
  EXPECT_SEEN(i.parent_run = RunId());
  EXPECT_SEEN(i.input = Payload());
  EXPECT_SEEN(i.output = Payload());
  EXPECT_SEEN(i.failure.kind.clear());
  EXPECT_SEEN(i.failure.message.clear());
  EXPECT_SEEN(i.failure.run = RunId());
  EXPECT_SEEN(i.business_key.clear());
  EXPECT_SEEN(i.idempotency_key.clear());
  EXPECT_SEEN(i.tags.pop_back());
  EXPECT_SEEN(i.paused = false);
  EXPECT_SEEN(i.queued = false);
  EXPECT_SEEN(i.linked = false);
  EXPECT_SEEN(i.concurrency_key.clear());
  EXPECT_SEEN(i.signals.pop_back());
  EXPECT_SEEN(i.signals[0].name.clear());
  EXPECT_SEEN(i.signals[0].payload = Payload());
  EXPECT_SEEN(i.scopes.pop_back());
  EXPECT_SEEN(i.runs.pop_back());
}

TEST(Snapshot, SeesAChangeOfAnyMemberOfAScope) {
  EXPECT_SEEN(i.scopes[0].id = ScopeId(0));
  EXPECT_SEEN(i.scopes[0].parent = ScopeId());
  EXPECT_SEEN(i.scopes[0].owner = RunId());
  EXPECT_SEEN(i.scopes[0].body = BodyIndex());
  EXPECT_SEEN(i.scopes[0].state = ScopeState::kOpen);
  EXPECT_SEEN(i.scopes[0].ends_as = Outcome::kCompleted);
  EXPECT_SEEN(i.scopes[0].index = 0);
  EXPECT_SEEN(i.scopes[0].active = 0);
  EXPECT_SEEN(i.scopes[0].item = Payload());
  EXPECT_SEEN(i.scopes[0].variables[0].name.clear());
  EXPECT_SEEN(i.scopes[0].variables[0].value = Payload());
  EXPECT_SEEN(i.scopes[0].held.pop_back());
  EXPECT_SEEN(i.scopes[0].arrivals.pop_back());
  EXPECT_SEEN(i.scopes[0].arrivals[0].step = StepIndex());
  EXPECT_SEEN(i.scopes[0].arrivals[0].transition = TransitionIndex());
  EXPECT_SEEN(i.scopes[0].arrivals[0].live = false);
  EXPECT_SEEN(i.scopes[0].held_steps.pop_back());
  EXPECT_SEEN(i.scopes[0].held_steps[0].step = StepIndex());
  EXPECT_SEEN(i.scopes[0].held_steps[0].via = TransitionIndex());
  EXPECT_SEEN(i.scopes[0].held_steps[0].output = Payload());
  EXPECT_SEEN(i.scopes[0].failure = nullptr);
  EXPECT_SEEN(i.scopes[0].failure->kind.clear());
  EXPECT_SEEN(i.scopes[0].failure->message.clear());
  EXPECT_SEEN(i.scopes[0].failure->run = RunId());
  EXPECT_SEEN(i.scopes[0].undo[0].run = RunId());
  EXPECT_SEEN(i.scopes[0].undo[0].scope = ScopeId());
  EXPECT_SEEN(i.scopes[0].undo[0].step = StepIndex());
  EXPECT_SEEN(i.scopes[0].undo[0].output = Payload());
}

TEST(Snapshot, SeesAChangeOfAnyMemberOfASlot) {
  EXPECT_SEEN(i.scopes[0].slots[0].step = StepIndex(0));
  EXPECT_SEEN(i.scopes[0].slots[0].state = SlotState::kIdle);
  EXPECT_SEEN(i.scopes[0].slots[0].fired = false);
  EXPECT_SEEN(i.scopes[0].slots[0].completions = 0);
  EXPECT_SEEN(i.scopes[0].slots[0].output = Payload());
}

TEST(Snapshot, SeesAChangeOfAnyMemberOfARun) {
  EXPECT_SEEN(i.runs[0].id = RunId(0));
  EXPECT_SEEN(i.runs[0].scope = ScopeId());
  EXPECT_SEEN(i.runs[0].step = StepIndex());
  EXPECT_SEEN(i.runs[0].state = RunState::kAttempt);
  EXPECT_SEEN(i.runs[0].purpose = Purpose::kNormal);
  EXPECT_SEEN(i.runs[0].attempt = 0);
  EXPECT_SEEN(i.runs[0].uncounted = 0);
  EXPECT_SEEN(i.runs[0].of = RunId());
  EXPECT_SEEN(i.runs[0].via = TransitionIndex());
  EXPECT_SEEN(i.runs[0].activated = TimeUs());
  EXPECT_SEEN(i.runs[0].due = TimeUs());
  EXPECT_SEEN(i.runs[0].deadline = TimeUs());
  EXPECT_SEEN(i.runs[0].config = Payload());
  EXPECT_SEEN(i.runs[0].input = Payload());
  EXPECT_SEEN(i.runs[0].output = Payload());
  EXPECT_SEEN(i.runs[0].secrets[0].pointer.clear());
  EXPECT_SEEN(i.runs[0].secrets[0].offset = 0);
  EXPECT_SEEN(i.runs[0].secrets[0].name.clear());
  EXPECT_SEEN(i.runs[0].loop = nullptr);
  EXPECT_SEEN(i.runs[0].loop->next = 0);
  EXPECT_SEEN(i.runs[0].loop->running = 0);
  EXPECT_SEEN(i.runs[0].loop->failed = 0);
  EXPECT_SEEN(i.runs[0].loop->last = Payload());
  EXPECT_SEEN(i.runs[0].error_kind.clear());
  EXPECT_SEEN(i.runs[0].error_message.clear());
  EXPECT_SEEN(i.runs[0].waits.pop_back());
  EXPECT_SEEN(i.runs[0].waits[0].event.clear());
  EXPECT_SEEN(i.runs[0].waits[0].kind = WaitKind::kMessage);
  EXPECT_SEEN(i.runs[0].waits[0].name.clear());
  EXPECT_SEEN(i.runs[0].waits[0].key.clear());
  EXPECT_SEEN(i.runs[0].waits[0].due = TimeUs());
  EXPECT_SEEN(i.runs[0].child = InstanceId());
  EXPECT_SEEN(i.runs[0].concurrency_key.clear());
  EXPECT_SEEN(i.runs[0].retryable = false);
  EXPECT_SEEN(i.runs[0].unprepared = false);
}

TEST(Snapshot, SeesAChangeOfAnyMemberOfATaskForPeople) {
  EXPECT_SEEN(i.runs[0].human = nullptr);
  EXPECT_SEEN(i.runs[0].human->assignees.pop_back());
  EXPECT_SEEN(i.runs[0].human->groups.pop_back());
  EXPECT_SEEN(i.runs[0].human->min_approvers = 0);
  EXPECT_SEEN(i.runs[0].human->veto = false);
  EXPECT_SEEN(i.runs[0].human->due = TimeUs());
  EXPECT_SEEN(i.runs[0].human->escalate_at = TimeUs());
  EXPECT_SEEN(i.runs[0].human->remind_at = TimeUs());
  EXPECT_SEEN(i.runs[0].human->remind_every_us = 0);
  EXPECT_SEEN(i.runs[0].human->remind_limit = 0);
  EXPECT_SEEN(i.runs[0].human->reminders = 0);
  EXPECT_SEEN(i.runs[0].human->claimed_by.clear());
  EXPECT_SEEN(i.runs[0].human->votes.pop_back());
  EXPECT_SEEN(i.runs[0].human->votes[0].person.clear());
  EXPECT_SEEN(i.runs[0].human->votes[0].approved = false);
  EXPECT_SEEN(i.runs[0].human->votes[0].comment.clear());
  EXPECT_SEEN(i.runs[0].human->votes[0].time = TimeUs());
}

TEST(Snapshot, RefusesAnotherFormat) {
  capnp::MallocMessageBuilder message;
  message.initRoot<schema::Snapshot>().setFormat(kSnapshotFormat + 1);
  const auto segment = message.getSegmentsForOutput()[0];
  const auto decoded =
      DecodeSnapshot({reinterpret_cast<const char*>(segment.begin()), segment.size() * 8});
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreUnknownFormat);
  EXPECT_THAT(decoded.error().message, HasSubstr("found format 2"));
}

TEST(Snapshot, RefusesListsOutOfOrder) {
  Instance instance = RandomValues(1, 0).MakeInstance();
  instance.runs[0].id = instance.runs[1].id;
  const auto decoded = DecodeSnapshot(EncodeSnapshot(instance));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreCorrupt);
}

TEST(Snapshot, SurvivesTruncationAndMutation) {
  RandomValues values(9);
  size_t refused = 0;
  for (int round = 0; round < 200; ++round) {
    const std::string bytes = EncodeSnapshot(values.MakeInstance());
    for (int i = 0; i < 50; ++i) {
      std::string damaged = bytes;
      if (i % 5 == 0) {
        damaged.resize(values.Below(bytes.size()));
      } else {
        damaged[values.Below(bytes.size())] ^= static_cast<char>(1 + values.Below(255));
      }
      const auto decoded = DecodeSnapshot(damaged);
      if (decoded.has_value()) continue;
      ++refused;
      EXPECT_TRUE(decoded.error().code == ErrorCode::kStoreCorrupt ||
                  decoded.error().code == ErrorCode::kStoreUnknownFormat);
    }
  }
  EXPECT_GT(refused, 2'000u);
}

}  // namespace
}  // namespace stele::model
