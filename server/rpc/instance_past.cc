// The past of an instance: its states, what differs between them, its runs over time.
#include <fmt/format.h>

#include "base/json.h"
#include "replay/gantt.h"
#include "server/rpc/answer.h"
#include "server/rpc/errors.h"
#include "server/rpc/instance.h"
#include "server/rpc/limits.h"
#include "server/rpc/text.h"

namespace stele::server::rpc {

namespace {

// The document as text, or the refusal of one that is too large; `put` gets the text.
Status ShowDocument(Object document, const auto& put) {
  const std::string json = ToJson(Value(std::move(document)));
  if (json.size() > kMaxAnswerBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a document that fits into {} bytes but found {}",
                            kMaxAnswerBytes, json.size()));
  put(TextOf(json));
  return {};
}

}  // namespace

kj::Promise<void> InstanceServer::stateAt(StateAtContext context) {
  Given given;
  given.Add(access_->Check());
  const replay::When when = given.When(context.getParams().getMoment());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, id = id_, when] {
    return access->operations().histories.State(access->caller(), id, when);
  }),
                [context](Object& state) mutable {
                  return ShowDocument(std::move(state), [&](capnp::Text::Reader text) {
                    context.getResults().setState(text);
                  });
                });
}

kj::Promise<void> InstanceServer::diff(DiffContext context) {
  Given given;
  given.Add(access_->Check());
  const replay::When from = given.When(context.getParams().getFrom());
  const replay::When to = given.When(context.getParams().getTo());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, id = id_, from, to] {
    return access->operations().histories.Difference(access->caller(), id, from, to);
  }),
                [context](Object& found) mutable {
                  return ShowDocument(std::move(found), [&](capnp::Text::Reader text) {
                    context.getResults().setDiff(text);
                  });
                });
}

kj::Promise<void> InstanceServer::bisect(BisectContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  std::string expression = given.Text(params.getExpression(), "expression");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, id = id_, expression = std::move(expression),
                                   exact = params.getExact()] {
    return access->operations().histories.Bisection(access->caller(), id, expression, exact);
  }),
                [context](Object& found) mutable {
                  return ShowDocument(std::move(found), [&](capnp::Text::Reader text) {
                    context.getResults().setFound(text);
                  });
                });
}

kj::Promise<void> InstanceServer::timeline(TimelineContext context) {
  Given given;
  given.Add(access_->Check());
  const auto limit =
      LimitOf(context.getParams().getLimit(), replay::kGanttLines, replay::kMaxGanttLines);
  if (!limit.has_value()) given.Add(limit.error().code, limit.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, id = id_, limit = *limit] {
    return access->operations().histories.Chart(access->caller(), id, limit);
  }),
                [context](Object& chart) mutable {
                  return ShowDocument(std::move(chart), [&](capnp::Text::Reader text) {
                    context.getResults().setTimeline(text);
                  });
                });
}

}  // namespace stele::server::rpc
