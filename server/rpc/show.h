// The engine's values as those of the native interface.
//
// Thread: the loop's.
#pragma once

#include "projections/view_state.h"
#include "schemas/answers.capnp.h"
#include "schemas/definitions.capnp.h"
#include "schemas/triggers.capnp.h"
#include "server/operations/definitions.h"
#include "server/operations/events.h"
#include "server/operations/histories.h"
#include "server/operations/instances.h"
#include "server/operations/questions.h"
#include "server/operations/triggers.h"
#include "server/rpc/text.h"

namespace stele::server::rpc {

// What would be larger than kMaxAnswerBytes: kLimitExceeded.
Status CheckSize(const InstanceStatus& status);
Status CheckSize(const std::vector<StoredRecord>& records);
void Show(const InstanceStatus& status, api::InstanceStatus::Builder to);

void Show(const Started& started, api::Started::Builder to);
void Show(const Caller& caller, api::Caller::Builder to);
void Show(const Error& error, api::Refusal::Builder to);
void Show(const Refused& refused, api::Refused::Builder to);
void Show(const DefinitionStatus& status, api::DefinitionStatus::Builder to);
void Show(const TriggerStatus& status, api::TriggerStatus::Builder to);
void Show(const Found<projections::InstanceRow>& found, api::InstancePage::Builder to);
void Show(const Found<projections::TaskRow>& found, api::TaskPage::Builder to);
void Show(const projections::StepLogPage& page, api::LogPage::Builder to);
void Show(const projections::ViewState& state, api::ViewState::Builder to);
void Show(const replay::ShownEvent& event, api::Event::Builder to);
void Show(const std::vector<StoredRecord>& records, capnp::List<api::LogRecord>::Builder to);
// The records of a page and where the next one begins. The same refusal as CheckSize.
template <class Results>
Status ShowPage(const RecordPage& page, Results to) {
  STELE_RETURN_IF_ERROR(CheckSize(page.records));
  Show(page.records, to.initRecords(static_cast<unsigned>(page.records.size())));
  to.setNext(page.next.value);
  return {};
}

api::DefinitionState StateNumber(model::DefinitionState state);
api::TriggerState StateNumber(model::TriggerState state);
// kInvalidInput: a number of a newer schema.
Result<model::DefinitionState> StateOf(api::DefinitionState state);
Result<model::TriggerState> StateOf(api::TriggerState state);

}  // namespace stele::server::rpc
