// Live events, as a stream of Server-Sent Events or over a WebSocket. Each has an id, POSITION and
// ORDINAL, behind which a client goes on when it comes again.
#include "server/operations/events.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "base/json.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/limits.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;
using EventList = std::vector<EventPointer>;

// Of RFC 6455.
constexpr uint16_t kGoingAway = 1001;
constexpr uint16_t kRefused = 1008;

std::string IdOf(const replay::ShownEvent& event) {
  return fmt::format("{}-{}", event.position.value, event.ordinal);
}

// Where and when it is, and behind that its own members.
std::string TextOf(const replay::ShownEvent& event) {
  std::string text = fmt::format(R"({{"id":"{}","position":{},"time":{})", IdOf(event),
                                 event.position.value, event.time.value);
  if (event.instance)
    text += fmt::format(R"(,"instance":{},"seq":{})", event.instance.value, event.seq.value);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    text += fmt::format(R"(,"{}":)", name);
    WriteJsonString(value, text);
  };
  add("definition_name", event.definition);
  add("actor", event.actor);
  add("source", event.source);
  const std::string_view members = std::string_view(event.json).substr(1);
  if (members != "}") text += ',';
  return text.append(members);
}

// "42" or "42-3".
Result<EventPlace> PlaceOf(std::string_view text, std::string_view what) {
  EventPlace place;
  const char* const end = text.data() + text.size();
  const auto position = std::from_chars(text.data(), end, place.position.value);
  bool is_place = position.ec == std::errc();
  if (is_place && position.ptr != end) {
    const auto ordinal = std::from_chars(position.ptr + 1, end, place.ordinal);
    is_place = *position.ptr == '-' && ordinal.ec == std::errc() && ordinal.ptr == end;
  }
  if (is_place) return place;
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("Expected a position, or POSITION-ORDINAL, for {} but found \"{}\"", what, text));
}

// Behind the last event that the client has seen, or from where it asks for.
Result<EventPlace> BeginOf(const Call& call) {
  if (const std::string_view last = call.request().headers.Get("Last-Event-ID"); !last.empty()) {
    auto place = PlaceOf(last, "Last-Event-ID");
    if (place.has_value()) ++place->ordinal;
    return place;
  }
  const std::string from = call.Asked("from");
  return from.empty() ? EventPlace() : PlaceOf(from, "the query parameter from");
}

// What one stream is told from.
class Telling {
 public:
  Telling(kj::Own<Events::Follower> follower, Caller caller, StillValid still_valid,
          kj::Timer& timer)
      : follower_(kj::mv(follower)),
        caller_(std::move(caller)),
        still_valid_(std::move(still_valid)),
        timer_(timer) {}

  // What comes next; empty: there will be nothing more. kBadToken: the caller's is none any more.
  Promised<EventList> Next() {
    if (!still_valid_(caller_)) return NoLongerValid();
    return follower_->Next().exclusiveJoin(UntilInvalid());
  }

 private:
  static Result<EventList> NoLongerValid() {
    return Fail(ErrorCode::kBadToken,
                "Expected a token that is still good but found one that is not any more; log in "
                "and come again with the last id");
  }
  Promised<EventList> UntilInvalid() {
    return timer_.afterDelay(kTokenCheckSeconds * kj::SECONDS)
        .then([this]() -> Promised<EventList> {
          if (still_valid_(caller_)) return UntilInvalid();
          return NoLongerValid();
        });
  }

  kj::Own<Events::Follower> follower_;
  const Caller caller_;
  const StillValid still_valid_;
  kj::Timer& timer_;
};

// The events of a list one after the other, by `send`.
template <class Send>
kj::Promise<void> SendAll(const std::shared_ptr<const EventList>& events, size_t at, Send send) {
  if (at == events->size()) return kj::READY_NOW;
  return send(*(*events)[at]).then([events, at, send] { return SendAll(events, at + 1, send); });
}

kj::Promise<void> Feed(Telling& telling, http::EventStream& out) {
  return telling.Next().then([&telling, &out](Result<EventList> events) -> kj::Promise<void> {
    if (!events.has_value()) {
      const Object problem{{"code", http::CodeText(events.error().code)},
                           {"detail", events.error().message}};
      return out.Send({.data = stele::ToJson(problem), .id = {}, .name = "problem"});
    }
    if (events->empty()) return kj::READY_NOW;
    const auto send = [&out](const replay::ShownEvent& event) {
      return out.Send({.data = TextOf(event), .id = IdOf(event), .name = {}});
    };
    return SendAll(std::make_shared<const EventList>(*std::move(events)), 0, send)
        .then([&telling, &out] { return Feed(telling, out); });
  });
}

kj::Promise<void> Converse(Telling& telling, kj::WebSocket& socket) {
  return telling.Next().then([&telling, &socket](Result<EventList> events) -> kj::Promise<void> {
    if (!events.has_value())
      return socket.close(kRefused, http::CodeText(events.error().code).c_str());
    if (events->empty()) return socket.close(kGoingAway, "the server is stopping");
    const auto send = [&socket](const replay::ShownEvent& event) {
      std::string text = TextOf(event);
      const kj::ArrayPtr<const char> bytes(text.data(), text.size());
      return socket.send(bytes).attach(kj::heap(std::move(text)));
    };
    return SendAll(std::make_shared<const EventList>(*std::move(events)), 0, send)
        .then([&telling, &socket] { return Converse(telling, socket); });
  });
}

// What a client says is of no interest, but that it closes.
kj::Promise<void> UntilClosed(kj::WebSocket& socket) {
  return socket.receive().then(
      [&socket](const kj::WebSocket::Message& message) -> kj::Promise<void> {
        if (message.is<kj::WebSocket::Close>()) return kj::READY_NOW;
        return UntilClosed(socket);
      });
}

kj::Promise<http::Response> Follow(const Operations& operations, const StillValid& still_valid,
                                   const Call& call) {
  const auto place = BeginOf(call);
  if (!place.has_value()) return Refuse(place.error());
  EventFilter filter;
  filter.instance = InstanceId(static_cast<uint64_t>(call.AskedNumber("instance").value_or(0)));
  filter.definition = call.Asked("definition");
  for (std::string& name : call.AllAsked("event")) filter.names.insert(std::move(name));
  auto follower = operations.events.Follow(call.caller(), std::move(filter), *place);
  if (!follower.has_value()) return Refuse(follower.error());
  auto telling =
      kj::heap<Telling>(*std::move(follower), call.caller(), still_valid, operations.desk.timer());
  if (call.request().headers.HasToken("Upgrade", "websocket"))
    return http::Talk([telling = kj::mv(telling)](kj::WebSocket& socket) mutable {
      return Converse(*telling, socket).exclusiveJoin(UntilClosed(socket));
    });
  return http::Events(
      [telling = kj::mv(telling)](http::EventStream& out) mutable { return Feed(*telling, out); });
}

}  // namespace

Resource EventsResource(const Operations& operations, StillValid still_valid) {
  return {.name = "events",
          .about = "What becomes durable, as it does.",
          .routes = {{.method = Method::kGet,
                      .pattern = "/events",
                      .id = "followEvents",
                      .summary = "Follows events, from now on or from a place in the log, as "
                                 "Server-Sent Events or, with its handshake, over a WebSocket.",
                      .permission = Permission::kRead,
                      .parameters = {Number("instance", 1, INT64_MAX, "of that one alone"),
                                     Text("definition", "of instances of that one alone"),
                                     Texts("event", "of those names alone: \"step_completed\""),
                                     Text("from", "a position of the log, or POSITION-ORDINAL"),
                                     Header("Last-Event-ID", "goes on behind that event")},
                      .answers = {{200, "a stream, each event's data as this", "LiveEvent",
                                   "text/event-stream"},
                                  {101, "a WebSocket with a text frame for each event", ""}},
                      .handle =
                          [operations, still_valid = std::move(still_valid)](const Call& call) {
                            return Follow(operations, still_valid, call);
                          }}},
          .components = {{"LiveEvent",
                          "An event with the members of its kind.",
                          {{"id", "text", "POSITION-ORDINAL"},
                           {"position", "number", "of its record"},
                           {"time", "time", ""},
                           {"instance?", "number", "none: definitions, triggers, messages"},
                           {"seq?", "number", "in the instance's history"},
                           {"definition_name?", "text", "that the instance runs"},
                           {"actor?", "text", "who asked; none: the engine"},
                           {"source?", "text", "from where they asked"},
                           {"event", "text", "\"step_completed\""}},
                          Component::Others::kAny}}};
}

}  // namespace stele::server::rest
