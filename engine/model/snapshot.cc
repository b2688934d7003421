#include "engine/model/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/model/field_codec.h"
#include "engine/model/segment.h"
#include "schemas/snapshot.capnp.h"

// F(member, accessor), as in event_fields.h.
#define STELE_FIELDS_Instance(F)     \
  F(id, Id)                          \
  F(definition, Definition)          \
  F(status, Status)                  \
  F(compensated, Compensated)        \
  F(priority, Priority)              \
  F(seq, Seq)                        \
  F(position, Position)              \
  F(started, Started)                \
  F(ended, Ended)                    \
  F(deadline, Deadline)              \
  F(last_run, LastRun)               \
  F(last_scope, LastScope)           \
  F(parent_instance, ParentInstance) \
  F(parent_run, ParentRun)           \
  F(input, Input)                    \
  F(output, Output)                  \
  F(failure.kind, FailureKind)       \
  F(failure.message, FailureMessage) \
  F(failure.run, FailureRun)         \
  F(business_key, BusinessKey)       \
  F(idempotency_key, IdempotencyKey) \
  F(tags, Tags)                      \
  F(scopes, Scopes)                  \
  F(runs, Runs)                      \
  F(paused, Paused)                  \
  F(queued, Queued)                  \
  F(linked, Linked)                  \
  F(concurrency_key, ConcurrencyKey) \
  F(trace_parent, TraceParent)       \
  F(signals, Signals)                \
  F(origin, Origin)                  \
  F(origin_seq, OriginSeq)           \
  F(ends_origin, EndsOrigin)
#define STELE_FIELDS_Scope(F) \
  F(id, Id)                   \
  F(parent, Parent)           \
  F(owner, Owner)             \
  F(body, Body)               \
  F(state, State)             \
  F(ends_as, EndsAs)          \
  F(index, Index)             \
  F(active, Active)           \
  F(item, Item)               \
  F(slots, Slots)             \
  F(variables, Variables)     \
  F(held, Held)               \
  F(failure, Failure)         \
  F(undo, Undo)               \
  F(arrivals, Arrivals)       \
  F(held_steps, HeldSteps)
#define STELE_FIELDS_Slot(F)  \
  F(step, Step)               \
  F(state, State)             \
  F(fired, Fired)             \
  F(completions, Completions) \
  F(output, Output)
#define STELE_FIELDS_Arrival(F) F(step, Step) F(transition, Transition) F(live, Live)
#define STELE_FIELDS_HeldStep(F) F(step, Step) F(via, Via) F(output, Output)
#define STELE_FIELDS_Signal(F) F(name, Name) F(payload, Payload)
#define STELE_FIELDS_Vote(F) \
  F(person, Person) F(approved, Approved) F(comment, Comment) F(time, Time)
#define STELE_FIELDS_HumanTask(F)   \
  F(assignees, Assignees)           \
  F(groups, Groups)                 \
  F(min_approvers, MinApprovers)    \
  F(veto, Veto)                     \
  F(due, Due)                       \
  F(escalate_at, EscalateAt)        \
  F(remind_at, RemindAt)            \
  F(remind_every_us, RemindEveryUs) \
  F(remind_limit, RemindLimit)      \
  F(reminders, Reminders)           \
  F(claimed_by, ClaimedBy)          \
  F(votes, Votes)
#define STELE_FIELDS_Undo(F) F(run, Run) F(scope, Scope) F(step, Step) F(output, Output)
#define STELE_FIELDS_StepRun(F)      \
  F(id, Id)                          \
  F(scope, Scope)                    \
  F(step, Step)                      \
  F(state, State)                    \
  F(purpose, Purpose)                \
  F(attempt, Attempt)                \
  F(uncounted, Uncounted)            \
  F(of, Of)                          \
  F(via, Via)                        \
  F(activated, Activated)            \
  F(due, Due)                        \
  F(deadline, Deadline)              \
  F(config, Config)                  \
  F(input, Input)                    \
  F(output, Output)                  \
  F(secrets, Secrets)                \
  F(loop, Loop)                      \
  F(error_kind, ErrorKind)           \
  F(error_message, ErrorMessage)     \
  F(waits, Waits)                    \
  F(human, Human)                    \
  F(child, Child)                    \
  F(concurrency_key, ConcurrencyKey) \
  F(retryable, Retryable)            \
  F(unprepared, Unprepared)
#define STELE_FIELDS_LoopProgress(F) \
  F(next, Next)                      \
  F(running, Running)                \
  F(failed, Failed)                  \
  F(last, Last)
#define STELE_FIELDS_Failure(F) F(kind, Kind) F(message, Message) F(run, Run)

namespace stele::model {

STELE_STRUCT_CODEC(Failure)
STELE_STRUCT_CODEC(LoopProgress)
STELE_STRUCT_CODEC(Undo)
STELE_STRUCT_CODEC(Arrival)
STELE_STRUCT_CODEC(HeldStep)
STELE_STRUCT_CODEC(Signal)
STELE_STRUCT_CODEC(Vote)
STELE_STRUCT_CODEC(HumanTask)
STELE_STRUCT_CODEC(Slot)
STELE_STRUCT_CODEC(Scope)
STELE_STRUCT_CODEC(StepRun)
STELE_STRUCT_CODEC(Instance)

namespace {

constexpr std::string_view kWhat = "a snapshot";

// Does not compile when a member was added to or taken from the state: then schemas/snapshot.capnp
// and the tables above need the same change.
[[maybe_unused]] void EveryMemberIsInTheTables(Instance& instance, Scope& scope, Slot& slot,
                                               Undo& undo, StepRun& run, LoopProgress& loop,
                                               HumanTask& human, Vote& vote) {
  [[maybe_unused]] auto& [i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15, i16,
                          i17, i18, i19, i20, i21, i22, i23, i24, i25, i26, i27, i28, i29, i30,
                          i31] = instance;
  [[maybe_unused]] auto& [c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16] =
      scope;
  [[maybe_unused]] auto& [s1, s2, s3, s4, s5] = slot;
  [[maybe_unused]] auto& [u1, u2, u3, u4] = undo;
  [[maybe_unused]] auto& [r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16,
                          r17, r18, r19, r20, r21, r22, r23, r24, r25] = run;
  [[maybe_unused]] auto& [l1, l2, l3, l4] = loop;
  [[maybe_unused]] auto& [f1, f2, f3] = instance.failure;
  [[maybe_unused]] auto& [h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, h12] = human;
  [[maybe_unused]] auto& [v1, v2, v3, v4] = vote;
}

template <class T, class Id>
bool Rising(const std::vector<T>& list, Id T::* id) {
  return std::ranges::adjacent_find(
             list, [id](const T& a, const T& b) { return !(a.*id < b.*id); }) == list.end();
}

// What FindScope, FindRun and FindSlot rely on.
bool IsInOrder(const Instance& instance) {
  return Rising(instance.scopes, &Scope::id) && Rising(instance.runs, &StepRun::id) &&
         std::ranges::all_of(instance.scopes,
                             [](const Scope& scope) { return Rising(scope.slots, &Slot::step); });
}

}  // namespace

void PutState(const Instance& instance, schema::Instance::Builder b) {
  Put(instance, b);
}

ForkedState TakeState(schema::Instance::Reader r, Fault& fault) {
  auto instance = std::make_shared<Instance>();
  Take(*instance, r, fault);
  if (fault.kind == Fault::Kind::kNone && !IsInOrder(*instance))
    fault = {Fault::Kind::kOutOfOrder, "state", 0};
  return ForkedState(std::move(instance));
}

bool ForkedState::operator==(const ForkedState& other) const {
  if (state_ == other.state_) return true;
  if (state_ == nullptr || other.state_ == nullptr) return false;
  return EncodeSnapshot(*state_) == EncodeSnapshot(*other.state_);
}

Instance CopyOf(const Instance& instance) {
  Result<Instance> copy = DecodeSnapshot(EncodeSnapshot(instance));
  CHECK(copy.has_value(), "a state that cannot be read back: {}", copy.error().message);
  return *std::move(copy);
}

std::string EncodeSnapshot(const Instance& instance) {
  Scratch scratch;
  const MemoryUse use = MemoryOf(instance);
  const size_t expected = (use.structure + use.payloads) / sizeof(uint64_t) + 64;
  return std::string(BuildSegment(scratch, expected, [&](capnp::MessageBuilder& message) {
    auto snapshot = message.initRoot<schema::Snapshot>();
    snapshot.setFormat(kSnapshotFormat);
    Put(instance, snapshot.initInstance());
  }));
}

Result<Instance> DecodeSnapshot(std::string_view bytes) {
  Instance instance;
  STELE_RETURN_IF_ERROR(
      ReadSegment(bytes, kWhat, [&](capnp::MessageReader& message) -> ::stele::Status {
        const auto snapshot = message.getRoot<schema::Snapshot>();
        if (snapshot.getFormat() != kSnapshotFormat) {
          return Fail(ErrorCode::kStoreUnknownFormat,
                      fmt::format("Expected a snapshot of format {} but found format {}",
                                  kSnapshotFormat, snapshot.getFormat()));
        }
        Fault fault;
        Take(instance, snapshot.getInstance(), fault);
        if (fault.kind != Fault::Kind::kNone) return std::unexpected(ErrorOf(fault, kWhat));
        if (!IsInOrder(instance)) {
          return std::unexpected(DamagedSegment(kWhat, "scopes, runs or slots out of order"));
        }
        return {};
      }));
  return instance;
}

}  // namespace stele::model
