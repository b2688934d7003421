// Messages that are published at a server.
#pragma once

#include <vector>

#include "base/error.h"
#include "cli/remote/remote.h"
#include "engine/model/event.h"

namespace stele::cli {

struct PublishedMessage {
  Position position;
  bool known = false;  // it was published there before, and nothing is now
};
Result<PublishedMessage> PublishMessage(Remote& server, const model::MessagePublished& message);

// The instances that have received the message of that position.
Result<std::vector<InstanceId>> ReceiversOf(Remote& server, Position message);

}  // namespace stele::cli
