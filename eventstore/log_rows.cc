#include "eventstore/log_rows.h"

namespace stele::eventstore {

Status LogRows::ForEach(std::string_view prefix, std::string_view from, const Visit& visit) const {
  return log_.ForEachMetaFrom(prefix, from, visit);
}

Result<std::optional<KeyRow>> LogRows::Last(std::string_view prefix) const {
  // Behind every name with the prefix: what follows is numbers, none of them all ones.
  auto row = log_.LastMeta(prefix, std::string(32, '\xFF'));
  if (!row) return std::unexpected(std::move(row).error());
  if (!*row) return std::nullopt;
  return KeyRow{std::string(prefix) + (*row)->key, std::move((*row)->value)};
}

std::vector<LogDb::MetaChange> ChangesOf(const std::vector<KeyRow>& rows) {
  std::vector<LogDb::MetaChange> changes;
  for (const KeyRow& row : rows)
    changes.push_back({row.name, row.value.empty() ? std::nullopt : std::optional(row.value)});
  return changes;
}

}  // namespace stele::eventstore
