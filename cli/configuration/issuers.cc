#include "cli/configuration/issuers.h"

#include <fmt/format.h>

#include "cli/configuration/setting_values.h"
#include "engine/definition/reader.h"

namespace stele::cli {

namespace {

using definition::Faults;
using definition::Node;

// Members of an issuer that are texts, and what of the rules they are.
struct TextMember {
  const char* name;
  std::string server::IssuerRules::* rule;
};
constexpr TextMember kTextMembers[] = {
    {"issuer", &server::IssuerRules::issuer},
    {"audience", &server::IssuerRules::audience},
    {"name_claim", &server::IssuerRules::name_claim},
    {"role_claim", &server::IssuerRules::role_claim},
    {"groups_claim", &server::IssuerRules::groups_claim},
};

void CheckRole(const Node& role, Faults& faults) {
  if (role.is_string() && server::FindRole(role.scalar.as_string()).has_value()) return;
  std::vector<std::string> roles;
  for (size_t i = 0; i < server::kRoles; ++i)
    roles.emplace_back(server::RoleName(static_cast<server::Role>(i)));
  faults.Add(ErrorCode::kConfiguration, role.place,
             fmt::format("Expected one of {} as `default_role` but found {}",
                         definition::QuoteList(roles), definition::Describe(role)));
}

// Each text has to say something: an empty `issuer` would take the tokens of anybody.
void CheckText(const Node* node, const char* name, Faults& faults) {
  if (node == nullptr || (node->is_string() && !node->scalar.as_string().empty())) return;
  faults.Add(
      ErrorCode::kConfiguration, node->place,
      fmt::format("Expected a text as `{}` but found {}", name, definition::Describe(*node)));
}

// Null: it was not there, or was no text.
const Node* TakeText(definition::MapReader& reader, const char* name, bool needed, Faults& faults) {
  const Node* const node = needed ? reader.Require({name}) : reader.Take(name);
  CheckText(node, name, faults);
  return node != nullptr && node->is_string() ? node : nullptr;
}

Object TakeIssuer(const Node& node, const std::string& directory, Faults& faults) {
  definition::MapReader reader(node, "an issuer", faults);
  Object issuer;
  for (const TextMember& member : kTextMembers) {
    const bool needed = member.rule == &server::IssuerRules::issuer;
    if (const Node* const text = TakeText(reader, member.name, needed, faults); text != nullptr)
      issuer.Set(member.name, text->scalar);
  }
  if (const Node* const keys = TakeText(reader, "keys", true, faults); keys != nullptr)
    issuer.Set("keys", FoundFrom(directory, keys->scalar.as_string()));
  if (const Node* const role = reader.Take("default_role"); role != nullptr) {
    CheckRole(*role, faults);
    issuer.Set("default_role", role->scalar);
  }
  reader.Finish();
  return issuer;
}

}  // namespace

std::optional<Value> TakeIssuers(const Node& node, const std::string& directory, Faults& faults) {
  const size_t before = faults.size();
  if (!node.is_list())
    faults.Add(ErrorCode::kConfiguration, node.place,
               fmt::format("Expected a list of issuers but found {}", definition::Describe(node)));
  Array issuers;
  for (const Node& item : node.items) issuers.emplace_back(TakeIssuer(item, directory, faults));
  if (faults.size() > before) return std::nullopt;
  return issuers;
}

std::vector<server::TrustedIssuer> IssuersOf(const Value& issuers) {
  std::vector<server::TrustedIssuer> trusted;
  if (issuers.is_null()) return trusted;
  for (const Value& issuer : issuers.as_array()) {
    server::TrustedIssuer& one = trusted.emplace_back();
    one.keys_file = issuer.Find("keys")->as_string();
    for (const TextMember& member : kTextMembers)
      if (const Value* const text = issuer.Find(member.name); text != nullptr)
        one.rules.*member.rule = text->as_string();
    if (const Value* const role = issuer.Find("default_role"); role != nullptr)
      one.rules.default_role = server::FindRole(role->as_string());
  }
  return trusted;
}

}  // namespace stele::cli
