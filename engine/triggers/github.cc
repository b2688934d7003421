#include "engine/triggers/github.h"

#include <initializer_list>

namespace stele::triggers {
namespace {

const Value* At(const Value& value, std::initializer_list<std::string_view> keys) {
  const Value* at = &value;
  for (const std::string_view key : keys) {
    at = at->Find(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string TextAt(const Value& value, std::initializer_list<std::string_view> keys) {
  const Value* at = At(value, keys);
  return at != nullptr && at->is_string() ? at->as_string() : std::string();
}

class Reader {
 public:
  Reader(std::string_view event, const Value& payload) : payload_(payload) {
    result_.event = event;
    result_.action = TextAt(payload, {"action"});
    Add("event", std::string(event));
    Add("action", result_.action);
    Add("repository", TextAt(payload, {"repository", "full_name"}));
    Add("sender", TextAt(payload, {"sender", "login"}));
  }

  GithubEvent Read() {
    if (result_.event == "push") ReadPush();
    if (result_.event == "create" || result_.event == "delete") ReadRef();
    if (result_.event == "pull_request") ReadPullRequest();
    if (result_.event == "issues") ReadItem("issue");
    if (result_.event == "release") ReadRelease();
    Add("branch", result_.branch);
    Add("tag", result_.tag);
    return std::move(result_);
  }

 private:
  void Add(std::string_view key, std::string text) {
    if (!text.empty()) result_.facts.Set(key, std::move(text));
  }

  void ReadPush() {
    static constexpr std::string_view kHeads = "refs/heads/";
    static constexpr std::string_view kTags = "refs/tags/";
    const std::string ref = TextAt(payload_, {"ref"});
    if (ref.starts_with(kHeads)) result_.branch = ref.substr(kHeads.size());
    if (ref.starts_with(kTags)) result_.tag = ref.substr(kTags.size());
    const Value* deleted = payload_.Find("deleted");
    result_.deletes = deleted != nullptr && deleted->is_bool() && deleted->as_bool();
    Add("ref", ref);
    Add("commit", TextAt(payload_, {"after"}));
    Add("url", TextAt(payload_, {"compare"}));
  }

  void ReadRef() {
    const std::string kind = TextAt(payload_, {"ref_type"});
    const std::string ref = TextAt(payload_, {"ref"});
    if (kind == "branch") result_.branch = ref;
    if (kind == "tag") result_.tag = ref;
    result_.deletes = result_.event == "delete";
    Add("ref", ref);
  }

  void ReadPullRequest() {
    ReadItem("pull_request");
    result_.branch = TextAt(payload_, {"pull_request", "base", "ref"});
    Add("head_branch", TextAt(payload_, {"pull_request", "head", "ref"}));
    Add("commit", TextAt(payload_, {"pull_request", "head", "sha"}));
  }

  void ReadItem(std::string_view key) {
    if (const Value* number = At(payload_, {key, "number"}); number != nullptr && number->is_int())
      result_.facts.Set("number", *number);
    Add("title", TextAt(payload_, {key, "title"}));
    Add("url", TextAt(payload_, {key, "html_url"}));
  }

  void ReadRelease() {
    result_.tag = TextAt(payload_, {"release", "tag_name"});
    Add("title", TextAt(payload_, {"release", "name"}));
    Add("url", TextAt(payload_, {"release", "html_url"}));
  }

  const Value& payload_;
  GithubEvent result_;
};

}  // namespace

GithubEvent ReadGithubEvent(std::string_view event, const Value& payload) {
  return Reader(event, payload).Read();
}

}  // namespace stele::triggers
