// What a call was given, checked: from Cap'n Proto's texts to the engine's values.
//
// The first fault is kept and the rest goes on with empty values, so that a call reads all it needs
// and then asks once.
//
// Thread: the loop's, where the payloads belong.
#pragma once

#include <capnp/blob.h>
#include <capnp/list.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/payload.h"
#include "base/value.h"
#include "engine/model/event_values.h"
#include "projections/asked.h"
#include "replay/audit/deed_reader.h"
#include "schemas/answers.capnp.h"
#include "server/operations/events.h"
#include "server/operations/forks.h"
#include "server/operations/instances.h"
#include "server/operations/questions.h"

namespace stele::server::rpc {

class Given {
 public:
  // UTF-8, at most kMaxTextBytes. `what` names it: "reason".
  std::string Text(capnp::Text::Reader text, std::string_view what);
  // The same without control characters: a name, a key, a tag.
  std::string Name(capnp::Text::Reader text, std::string_view what);
  std::vector<std::string> Names(capnp::List<capnp::Text>::Reader texts, std::string_view what);

  // JSON, in which no member occurs twice; empty: null, or absent.
  Value Document(capnp::Text::Reader json, std::string_view what);
  Payload Json(capnp::Text::Reader json, std::string_view what);
  Payload JsonObject(capnp::Text::Reader json, std::string_view what);
  std::vector<model::NamedPayload> Variables(capnp::List<api::Variable>::Reader variables);

  StartRequest Start(api::StartRequest::Reader request);
  // An event or a time; both 0: now.
  replay::When When(api::Moment::Reader moment);
  ForkRequest Fork(api::ForkRequest::Reader request);
  server::Search Search(api::Search::Reader search);
  projections::Freshness Freshness(api::Freshness::Reader freshness);
  projections::StatisticsScope Scope(api::StatisticsScope::Reader scope);
  EventFilter Filter(api::EventFilter::Reader filter);
  replay::DeedFilter Deeds(api::ReportFilter::Reader filter);

  void Add(ErrorCode code, std::string message);
  void Add(const Status& status);
  Status status() const;

 private:
  std::optional<Error> fault_;
};

// 0: the usual one; more than there may be: kInvalidInput.
Result<size_t> LimitOf(uint32_t limit, size_t usual, size_t most);

}  // namespace stele::server::rpc
