#include "cli/remote/message.h"

#include "cli/remote/command.h"

namespace stele::cli {

Result<PublishedMessage> PublishMessage(Remote& server, const model::MessagePublished& message) {
  auto request = server.session().instancesRequest().send().getInstances().publishRequest();
  request.setName(WordsOf(message.name));
  request.setKey(WordsOf(message.key));
  if (message.payload.has_value()) request.setPayload(WordsOf(std::string(message.payload.text())));
  request.setMessageId(WordsOf(message.message_id));
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
