#include "cli/remote/message.h"

#include "cli/remote/command.h"
#include "server/rpc/text.h"

namespace stele::cli {

Result<PublishedMessage> PublishMessage(Remote& server, const model::MessagePublished& message) {
  auto request = server.session().instancesRequest().send().getInstances().publishRequest();
  request.setName(server::rpc::TextOf(message.name));
  request.setKey(server::rpc::TextOf(message.key));
  if (message.payload.has_value())
    request.setPayload(server::rpc::TextOf(std::string(message.payload.text())));
  request.setMessageId(server::rpc::TextOf(message.message_id));
  request.setExpires(message.expires.value);
  const auto answer = server.Wait(request.send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  return PublishedMessage{Position(answer->getPosition()), answer->getKnown()};
}

Result<std::vector<InstanceId>> ReceiversOf(Remote& server, Position message) {
  auto request = server.session().instancesRequest().send().getInstances().receiversRequest();
  request.setPosition(message.value);
  const auto answer = server.Wait(request.send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  std::vector<InstanceId> receivers;
  for (const uint64_t instance : answer->getInstances()) receivers.emplace_back(instance);
  return receivers;
}

}  // namespace stele::cli
