// What GitHub's webhooks say, read from the name of the event and its payload. Source: GitHub's
// page "Webhook events and payloads" (push, create, delete, pull_request, issues, release).
#pragma once

#include <string>
#include <string_view>

#include "base/value.h"

namespace stele::triggers {

struct GithubEvent {
  std::string event;     // of X-GitHub-Event
  std::string action;    // "opened"; empty where the event has none
  std::string branch;    // pushed to, created, or the base of a pull request
  std::string tag;       // pushed, created or released
  bool deletes = false;  // the branch or tag is gone
  // What is there of: event, action, repository, sender, ref, branch, tag, commit, number, title,
  // head_branch, url.
  Object facts;
};

GithubEvent ReadGithubEvent(std::string_view event, const Value& payload);

}  // namespace stele::triggers
