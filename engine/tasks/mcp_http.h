// An MCP server at an address: a POST a message, answered by a JSON text or by a stream of events.
// Source: the protocol's specification, revision 2025-06-18, "Transports", Streamable HTTP. Streams
// that the server opens by itself (GET) and the taking up of a broken stream are not used.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/tasks/curl_multi.h"
#include "engine/tasks/event_stream.h"
#include "engine/tasks/http_plan.h"
#include "engine/tasks/mcp_stdio.h"
#include "engine/tasks/mcp_transport.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

class McpHttp final : public McpTransport {
 public:
  // REQUIRES: `redactor` and `observer` outlive this. `plan.request` has the address, the headers
  // and what is to be trusted.
  McpHttp(uv_loop_t* loop, std::shared_ptr<HttpClient> client, HttpPlan plan, McpLimits limits,
          const Redactor& redactor, Observer* observer);
  ~McpHttp() override;

  std::optional<TaskFailure> Open() override { return std::nullopt; }
  void Send(std::string message, std::optional<int64_t> request_id) override;
  void UseVersion(std::string_view version) override { version_ = version; }
  void Close(std::optional<std::string> last, std::function<void()> closed) override;

 private:
  // A POST under way.
  struct Exchange {
    std::optional<int64_t> request_id;
    EventStream events;
    std::string body;  // of an answer that is no stream of events
    bool is_stream = false;
  };
  struct Waiting {
    std::string message;
    std::optional<int64_t> request_id;
  };

  HttpClient::Request RequestFor(std::string method) const;
  void Post(Waiting waiting);
  bool OnPiece(Exchange& exchange, const HttpClient::Response& head, std::string_view piece);
  void OnEnded(uint64_t number, std::expected<HttpClient::Response, TaskFailure> answer);
  void RefuseStatus(const Exchange& exchange, int64_t status);
  void KeepSession(const HttpClient::Response& head);
  void SendWaiting();
  void Deliver();
  void WakeSoon();
  void Say(HttpClient::Request request, std::function<void()> then);

  std::shared_ptr<HttpClient> client_;
  HttpPlan plan_;
  McpLimits limits_;
  const Redactor& redactor_;
  Observer* observer_;
  std::string version_;                                      // empty: not agreed on yet
  std::string session_id_;                                   // empty: the server keeps none
  std::map<uint64_t, std::shared_ptr<Exchange>> exchanges_;  // by the client's number
  std::deque<Waiting> waiting_;  // messages behind one that has to arrive first
  size_t waiting_bytes_ = 0;
  std::deque<std::string> inbox_;  // what came and was not yet told
  uint64_t ordered_ = 0;           // the POST that `waiting_` waits for; 0: none
  uint64_t goodbye_ = 0;           // the last requests' number
  std::function<void()> closed_;   // set: it is being closed
  bool closing_ = false;
  bool nothing_to_say_ = false;
  UvHandle<uv_timer_t> wake_;
};

}  // namespace stele::tasks
