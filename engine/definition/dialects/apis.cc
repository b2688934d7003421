#include "engine/definition/dialects/apis.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::definition {
namespace {

// What an API says about itself and a call does not need.
constexpr std::string_view kAboutIt[] = {"id",   "name",       "description", "api_id",
                                         "tags", "created_at", "updated_at"};

// Methods whose parameters go into the query: those without a body.
bool HasNoBody(const Node* method) {
  if (method == nullptr) return true;
  const std::string word = Fold(NameOf(method));
  return word == "get" || word == "head" || word == "delete" || word == "options";
}

}  // namespace

Apis::Apis(const Node* list, const Node* variables, Lowering& lowering) {
  if (variables != nullptr && variables->is_map())
    if (const Node* variable = variables->Find("apis")) {
      const Node* initial = variable->Find("default");
      Add(initial != nullptr ? *initial : *variable, lowering);
    }
  if (list != nullptr) Add(*list, lowering);
}

void Apis::Add(const Node& node, Lowering& lowering) {
  for (const Entry& entry : node.entries)
    if (entry.value.is_map()) by_id_[entry.key] = entry.value;
  for (const Node& api : node.items) {
    const std::string id = NameOf(api.Find("id"));
    if (id.empty()) {
      lowering.Add(ErrorCode::kInvalidDefinition, api.place,
                   "Expected an API with an `id` but found " + Describe(api));
    } else if (api.Find("url") == nullptr) {
      lowering.Add(ErrorCode::kInvalidDefinition, api.place,
                   fmt::format("Expected a `url` of the API {} but found none", Quote(id)));
    } else if (!by_id_.emplace(id, api).second) {
      lowering.Add(ErrorCode::kDuplicateId, api.place,
                   fmt::format("Expected each API once but found {} again", Quote(id)));
    }
  }
  if (!node.is_list() && !node.is_map())
    lowering.Add(ErrorCode::kInvalidDefinition, node.place,
                 "Expected a list of APIs but found " + Describe(node));
}

std::string Apis::Complete(Node& config, Lowering& lowering) const {
  const Node* id = config.Find("api_id");
  const auto api = by_id_.find(NameOf(id));
  if (api == by_id_.end() && config.Find("url") == nullptr) {
    if (NameOf(id).empty())
      lowering.Add(ErrorCode::kInvalidDefinition, id->place,
                   "Expected the id of an API as `api_id` but found " + Describe(*id));
    return "api:" + NameOf(id);
  }
  TakeKey(config, "api_id");
  if (api != by_id_.end())
    for (const Entry& entry : api->second.entries) {
      const bool about =
          std::ranges::find(kAboutIt, entry.key) != std::end(kAboutIt) || entry.value.is_null();
      if (!about && config.Find(entry.key) == nullptr) SetKey(config, entry.key, entry.value);
    }
  return {};
}

void MoveParameters(Node& config) {
  auto parameters = TakeKey(config, "parameters");
  if (!parameters) return;
  SetKey(config, HasNoBody(config.Find("method")) ? "query" : "body", *std::move(parameters));
}

}  // namespace stele::definition
