// The REST interface over a running engine, asked without a socket. Every answer is checked against
// what the table of routes says of it: its status, its media type, its schema, in which no member
// may be that the schema does not name.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "server/http/router.h"
#include "server/rest/api.h"
#include "tests/server/support/served_world.h"

namespace stele::server::rest {

struct Answered {
  int status = 0;
  http::Headers headers;
  std::string content_type;
  std::string body;
  Value json;  // null when it is none
  std::optional<http::EventFeed> feed;

  // The member at a path of names and indices, "instances/0/id"; null when there is none.
  const Value& at(std::string_view path) const;
  int64_t number(std::string_view path) const;
  std::string text(std::string_view path) const;
};

class RestWorld {
 public:
  using More = std::function<std::vector<Resource>(const Operations&)>;
  // `more`: what other parts of the server offer beside it.
  explicit RestWorld(const More& more = nullptr, ServedData place = {});

  ServedWorld served;
  // Who asks; nothing: nobody who can be known.
  std::optional<Caller> who = ServedWorld::Somebody(Role::kAdmin);
  bool still_valid = true;
  // How long an answer may take; nothing: as long as it does. What takes longer is let go of, as
  // when a client goes, and has the status 0.
  std::optional<kj::Duration> patience;

  Api& api() { return api_; }
  http::Router& router() { return router_; }

  // `target` begins behind /api/v1, unless it begins with "//": that is the root.
  Answered Ask(http::Method method, std::string_view target, std::string body = "",
               http::Headers headers = {});
  Answered Get(std::string_view target, http::Headers headers = {}) {
    return Ask(http::Method::kGet, target, "", std::move(headers));
  }
  Answered Post(std::string_view target, std::string body = "", http::Headers headers = {}) {
    return Ask(http::Method::kPost, target, std::move(body), std::move(headers));
  }
  // "STL0405" of a refusal with that status.
  std::string Refusal(int status, const Answered& answered);
  // The instance that was started.
  int64_t Start(const std::string& definition, const std::string& rest = "");
  std::string StatusOf(int64_t instance) {
    return Get(fmt::format("/instances/{}", instance)).text("status");
  }

  const Route* RouteOf(const std::string& operation) const;
  // How many answers have been checked against the table.
  int checked() const { return checked_; }

 private:
  Answered Take(http::Response response);
  void Check(const std::string& operation, const Answered& answered);
  const definition::JsonSchema& SchemaOf(const std::string& type);

  const Operations operations_;
  Api api_;
  http::Router router_;
  std::map<std::string, definition::JsonSchema> schemas_;
  int checked_ = 0;
};

// Bytes that were written, as one text.
class TextStream final : public kj::AsyncOutputStream {
 public:
  kj::Promise<void> write(const void* buffer, size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override { return kj::NEVER_DONE; }
  std::string text;
};

}  // namespace stele::server::rest
