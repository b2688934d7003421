#include "server/http/wire.h"

#include <fmt/format.h>

#include "server/http/status.h"

namespace stele::server::http {

kj::HttpHeaders WireHeaders(const Headers& headers, const kj::HttpHeaderTable& table) {
  kj::HttpHeaders wire(table);
  for (const auto& [name, value] : headers.fields())
    wire.add(kj::StringPtr(name.c_str(), name.size()), kj::StringPtr(value.c_str(), value.size()));
  return wire;
}

kj::Own<kj::AsyncOutputStream> SendHead(kj::HttpService::Response& out,
                                        const kj::HttpHeaderTable& table, const Response& response,
                                        kj::Maybe<uint64_t> length) {
  const std::string phrase(ReasonPhrase(response.status));
  return out.send(static_cast<kj::uint>(response.status), phrase.c_str(),
                  WireHeaders(response.headers, table), length);
}

std::string LastResponse(const Response& response, std::string_view body) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Length: {}\r\n",
                                 response.status, ReasonPhrase(response.status), body.size());
  for (const auto& [name, value] : response.headers.fields())
    text.append(name).append(": ").append(value).append("\r\n");
  return text.append("\r\n").append(body);
}

kj::Promise<void> SendWhole(kj::HttpService::Response& out, const kj::HttpHeaderTable& table,
                            const Response& response, std::string body, bool head_only) {
  auto held = kj::heap<std::string>(std::move(body));
  auto stream = SendHead(out, table, response, held->size());
  if (head_only || held->empty()) return kj::READY_NOW;
  return stream->write(held->data(), held->size()).attach(kj::mv(stream), kj::mv(held));
}

}  // namespace stele::server::http
