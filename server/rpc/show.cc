#include "server/rpc/show.h"

#include <fmt/format.h>

#include <cstring>

#include "base/json.h"
#include "replay/timeline.h"
#include "server/rpc/limits.h"

namespace stele::server::rpc {

namespace {

size_t BytesOf(const std::vector<model::NamedPayload>& variables) {
  size_t bytes = 0;
  for (const model::NamedPayload& variable : variables)
    bytes += variable.name.size() + variable.value.text().size();
  return bytes;
}

void Copy(std::string_view from, capnp::Text::Builder to) {
  if (!from.empty()) std::memcpy(to.begin(), from.data(), from.size());
}

void Copy(const std::vector<std::string>& from, capnp::List<capnp::Text>::Builder to) {
  for (unsigned i = 0; i < from.size(); ++i) to.set(i, TextOf(from[i]));
}

unsigned CountOf(const auto& list) {
  return static_cast<unsigned>(list.size());
}

void Show(const projections::InstanceRow& row, api::InstanceRow::Builder to) {
  to.setId(row.id.value);
  to.setDefinition(TextOf(row.definition));
  to.setVersion(row.version);
  to.setStatus(TextOf(row.status));
  to.setBusinessKey(TextOf(row.business_key));
  Copy(row.tags, to.initTags(CountOf(row.tags)));
  to.setPriority(row.priority);
  to.setParent(row.parent.value);
  to.setStarted(row.started.value);
  to.setEnded(row.ended.value);
  to.setDeadline(row.deadline.value);
  to.setUpdated(row.updated.value);
  to.setStepsCompleted(row.steps_completed);
  to.setProgressPercent(row.ProgressPercent());
  auto steps = to.initSteps(CountOf(row.steps));
  for (unsigned i = 0; i < row.steps.size(); ++i) {
    const projections::OpenStep& step = row.steps[i];
    steps[i].setRun(step.run.value);
    steps[i].setId(TextOf(step.id));
    steps[i].setLabel(TextOf(step.label));
    steps[i].setState(TextOf(step.state));
    steps[i].setSince(step.since.value);
    steps[i].setAttempt(step.attempt);
  }
  to.setStepsOpen(row.steps_open);
  auto waits = to.initWaits(CountOf(row.waits));
  for (unsigned i = 0; i < row.waits.size(); ++i) {
    const projections::RowWait& wait = row.waits[i];
    waits[i].setWhat(TextOf(wait.what));
    waits[i].setStep(TextOf(wait.step));
    waits[i].setSubject(TextOf(wait.subject));
    waits[i].setSince(wait.since.value);
    waits[i].setDue(wait.due.value);
  }
  to.setWaitsOpen(row.waits_open);
  to.setErrorKind(TextOf(row.error_kind));
  to.setErrorMessage(TextOf(row.error_message));
  to.setParkedKind(TextOf(row.parked_kind));
  to.setActor(TextOf(row.actor));
  to.setTrigger(row.trigger.value);
  to.setUndone(row.undone);
  to.setStepsTotal(row.steps_total);
  to.setStepsDecided(row.steps_decided);
  auto variables = to.initVariables(CountOf(row.variables));
  for (unsigned i = 0; i < row.variables.size(); ++i) {
    variables[i].setName(TextOf(row.variables[i].name));
    variables[i].setValue(TextOf(row.variables[i].value));
    variables[i].setIsInput(row.variables[i].is_input);
    variables[i].setIsJson(row.variables[i].is_json);
  }
}

void Show(const projections::TaskRow& row, api::TaskRow::Builder to) {
  to.setInstance(row.instance.value);
  to.setRun(row.run.value);
  to.setDefinition(TextOf(row.definition));
  to.setVersion(row.version);
  to.setStep(TextOf(row.step));
  to.setLabel(TextOf(row.label));
  to.setType(TextOf(row.type));
  to.setTitle(TextOf(row.title));
  to.setState(TextOf(row.state));
  Copy(row.assignees, to.initAssignees(CountOf(row.assignees)));
  Copy(row.groups, to.initGroups(CountOf(row.groups)));
  to.setClaimedBy(TextOf(row.claimed_by));
  auto votes = to.initVotes(CountOf(row.votes));
  for (unsigned i = 0; i < row.votes.size(); ++i) {
    votes[i].setPerson(TextOf(row.votes[i].person));
    votes[i].setApproved(row.votes[i].approved);
    votes[i].setComment(TextOf(row.votes[i].comment));
    votes[i].setTime(row.votes[i].time.value);
  }
  to.setMinApprovers(row.min_approvers);
  to.setCreated(row.created.value);
  to.setDue(row.due.value);
  to.setCompleted(row.completed.value);
  to.setBusinessKey(TextOf(row.business_key));
  to.setPriority(row.priority);
}

void ShowPlace(const projections::AttemptPlace& place, api::AttemptPlace::Builder to) {
  to.setRun(place.run.value);
  to.setAttempt(place.attempt);
}

}  // namespace

Status CheckSize(const InstanceStatus& status) {
  const size_t bytes = status.input.text().size() + status.output.text().size() +
                       status.failure.message.size() + BytesOf(status.variables);
  if (bytes <= kMaxAnswerBytes) return {};
  return Fail(ErrorCode::kLimitExceeded,
              fmt::format("Expected an instance whose data fit into {} bytes but found {}",
                          kMaxAnswerBytes, bytes));
}

Status CheckSize(const std::vector<StoredRecord>& records) {
  size_t bytes = 0;
  for (const StoredRecord& record : records) bytes += record.body.size();
  if (bytes <= kMaxAnswerBytes) return {};
  return Fail(
      ErrorCode::kLimitExceeded,
      fmt::format("Expected records that fit into {} bytes but found {}", kMaxAnswerBytes, bytes));
}

void Show(const InstanceStatus& status, api::InstanceStatus::Builder to) {
  to.setId(status.id.value);
  to.setDefinition(TextOf(status.definition));
  to.setVersion(status.version);
  to.setStatus(TextOf(status.status));
  to.setBusinessKey(TextOf(status.business_key));
  to.setIdempotencyKey(TextOf(status.idempotency_key));
  Copy(status.tags, to.initTags(CountOf(status.tags)));
  to.setPriority(status.priority);
  to.setParent(status.parent.value);
  to.setStarted(status.started.value);
  to.setEnded(status.ended.value);
  to.setDeadline(status.deadline.value);
  to.setErrorKind(TextOf(status.failure.kind));
  to.setErrorMessage(TextOf(status.failure.message));
  Copy(status.input.text(), to.initInput(CountOf(status.input.text())));
  Copy(status.output.text(), to.initOutput(CountOf(status.output.text())));
  auto variables = to.initVariables(CountOf(status.variables));
  for (unsigned i = 0; i < status.variables.size(); ++i) {
    const std::string_view value = status.variables[i].value.text();
    variables[i].setName(TextOf(status.variables[i].name));
    Copy(value, variables[i].initValue(CountOf(value)));
  }
  if (!status.waiting_for.empty()) to.setWaitingFor(TextOf(ToJson(Value(status.waiting_for))));
  to.setSeq(status.seq.value);
  to.setPosition(status.position.value);
  to.setOrigin(status.origin.value);
  to.setOriginSeq(status.origin_seq.value);
}

void Show(const Started& started, api::Started::Builder to) {
  to.setId(started.instance.value);
  to.setPosition(started.position.value);
  to.setKnown(started.known);
}

void Show(const Caller& caller, api::Caller::Builder to) {
  to.setName(TextOf(caller.name));
  to.setRole(TextOf(std::string(RoleName(caller.role))));
  Copy(caller.groups, to.initGroups(CountOf(caller.groups)));
  to.setExpires(caller.expires.value);
  to.setMustChangePassword(caller.must_change_password);
}

void Show(const Error& error, api::Refusal::Builder to) {
  to.setCode(static_cast<uint32_t>(error.code));
  to.setMessage(TextOf(error.message));
}

void Show(const Refused& refused, api::Refused::Builder to) {
  to.setCode(static_cast<uint32_t>(refused.error.code));
  to.setMessage(TextOf(refused.error.message));
  auto faults = to.initFaults(CountOf(refused.faults));
  for (unsigned i = 0; i < refused.faults.size(); ++i) {
    const definition::Fault& fault = refused.faults[i];
    faults[i].setCode(static_cast<uint32_t>(fault.code));
    faults[i].setMessage(TextOf(fault.message));
    faults[i].setLine(fault.place.line);
    faults[i].setColumn(fault.place.column);
  }
}

void Show(const DefinitionStatus& status, api::DefinitionStatus::Builder to) {
  to.setName(TextOf(status.name));
  to.setVersion(status.version);
  to.setState(StateNumber(model::FindDefinitionState(status.state).value()));
  to.setReason(TextOf(status.reason));
  to.setDescription(TextOf(status.description));
  to.setRegistered(status.registered.value);
  to.setIsNew(status.is_new);
  to.setPosition(status.position.value);
}

void Show(const TriggerStatus& status, api::TriggerStatus::Builder to) {
  to.setId(status.id.value);
  to.setDefinition(TextOf(status.definition));
  to.setName(TextOf(status.name));
  to.setKind(TextOf(status.kind));
  to.setState(StateNumber(model::FindTriggerState(status.state).value()));
  to.setReason(TextOf(status.reason));
  to.setDeclared(status.declared);
  to.setConfig(TextOf(ToJson(status.config)));
  to.setPath(TextOf(status.path));
  to.setNext(status.next.value);
  to.setFired(status.fired);
  to.setLastOutcome(TextOf(status.last_outcome));
  to.setLastTime(status.last_time.value);
}

void Show(const Found<projections::InstanceRow>& found, api::InstancePage::Builder to) {
  auto rows = to.initRows(CountOf(found.page.rows));
  for (unsigned i = 0; i < found.page.rows.size(); ++i) Show(found.page.rows[i], rows[i]);
  to.setNext(TextOf(found.page.next));
  to.setPosition(found.page.position.value);
  to.setNow(found.now.value);
}

void Show(const Found<projections::TaskRow>& found, api::TaskPage::Builder to) {
  auto rows = to.initRows(CountOf(found.page.rows));
  for (unsigned i = 0; i < found.page.rows.size(); ++i) Show(found.page.rows[i], rows[i]);
  to.setNext(TextOf(found.page.next));
  to.setPosition(found.page.position.value);
  to.setNow(found.now.value);
}

void Show(const projections::StepLogPage& page, api::LogPage::Builder to) {
  to.setPosition(page.position.value);
  auto attempts = to.initAttempts(CountOf(page.attempts));
  for (unsigned i = 0; i < page.attempts.size(); ++i) {
    const projections::AttemptRow& row = page.attempts[i].row;
    auto attempt = attempts[i];
    ShowPlace(page.attempts[i].place, attempt.initPlace());
    attempt.setStep(TextOf(row.step));
    attempt.setLabel(TextOf(row.label));
    attempt.setType(TextOf(row.type));
    attempt.setState(TextOf(std::string(replay::AttemptStateName(row.state))));
    attempt.setStarted(row.started.value);
    attempt.setEnded(row.ended.value);
    attempt.setErrorKind(TextOf(row.kind));
    attempt.setErrorMessage(TextOf(row.message));
    attempt.setLog(TextOf(row.log));
    attempt.setLogSize(row.log_bytes);
    attempt.setLogTruncated(row.log_truncated);
  }
  ShowPlace(page.next, to.initNext());
}

void Show(const projections::ViewState& state, api::ViewState::Builder to) {
  to.setName(TextOf(state.name));
  to.setVersion(state.version);
  to.setServes(state.serves);
  to.setPosition(state.position.value);
  to.setLag(state.lag);
  to.setBuilding(state.building);
  to.setBuilt(state.built.value);
}

void Show(const replay::ShownEvent& event, api::Event::Builder to) {
  to.setPosition(event.position.value);
  to.setOrdinal(event.ordinal);
  to.setSeq(event.seq.value);
  to.setInstance(event.instance.value);
  to.setTime(event.time.value);
  Copy(event.name, to.initName(CountOf(event.name)));
  to.setDefinition(TextOf(event.definition));
  to.setActor(TextOf(event.actor));
  to.setSource(TextOf(event.source));
  to.setDocument(TextOf(event.json));
}

void Show(const std::vector<StoredRecord>& records, capnp::List<api::LogRecord>::Builder to) {
  for (unsigned i = 0; i < records.size(); ++i) {
    const StoredRecord& record = records[i];
    to[i].setPosition(record.position.value);
    to[i].setFirstSeq(record.first_seq.value);
    to[i].setTime(record.time.value);
    to[i].setCausation(record.causation.value);
    to[i].setActor(TextOf(record.actor));
    to[i].setSource(TextOf(record.source));
    to[i].setErased(record.erased);
    to[i].setBody({reinterpret_cast<const kj::byte*>(record.body.data()), record.body.size()});
  }
}

api::DefinitionState StateNumber(model::DefinitionState state) {
  switch (state) {
    case model::DefinitionState::kDraft:
      return api::DefinitionState::DRAFT;
    case model::DefinitionState::kActive:
      return api::DefinitionState::ACTIVE;
    case model::DefinitionState::kPaused:
      return api::DefinitionState::PAUSED;
    case model::DefinitionState::kRetired:
      return api::DefinitionState::RETIRED;
  }
  return api::DefinitionState::DRAFT;
}

api::TriggerState StateNumber(model::TriggerState state) {
  switch (state) {
    case model::TriggerState::kActive:
      return api::TriggerState::ACTIVE;
    case model::TriggerState::kPaused:
      return api::TriggerState::PAUSED;
    case model::TriggerState::kRemoved:
      return api::TriggerState::REMOVED;
  }
  return api::TriggerState::REMOVED;
}

Result<model::DefinitionState> StateOf(api::DefinitionState state) {
  switch (state) {
    case api::DefinitionState::DRAFT:
      return model::DefinitionState::kDraft;
    case api::DefinitionState::ACTIVE:
      return model::DefinitionState::kActive;
    case api::DefinitionState::PAUSED:
      return model::DefinitionState::kPaused;
    case api::DefinitionState::RETIRED:
      return model::DefinitionState::kRetired;
  }
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("state: Expected a state of a definition but found the number {}",
                          static_cast<int>(state)));
}

Result<model::TriggerState> StateOf(api::TriggerState state) {
  switch (state) {
    case api::TriggerState::ACTIVE:
      return model::TriggerState::kActive;
    case api::TriggerState::PAUSED:
      return model::TriggerState::kPaused;
    case api::TriggerState::REMOVED:
      return model::TriggerState::kRemoved;
  }
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("state: Expected a state of a trigger but found the number {}",
                          static_cast<int>(state)));
}

}  // namespace stele::server::rpc
