#include "projections/table.h"

#include <algorithm>
#include <set>

#include "projections/keys.h"

namespace stele::projections {

namespace {

constexpr uint8_t kEveryRow = 0;

std::set<std::string> KeysOf(const TableSchema& schema, const RowFacts& facts) {
  const std::string place = PlaceOf(facts);
  std::set<std::string> keys{TermPrefix(kEveryRow, "") + place};
  for (const Term& term : facts.terms)
    if (schema.field(term.field).indexed) keys.insert(TermPrefix(term.field, term.value) + place);
  return keys;
}

}  // namespace

std::string NamedTerm(std::string_view name, std::string_view value) {
  std::string term(name);
  term.push_back('\0');
  return term.append(value);
}

void RowFacts::Add(uint8_t field, std::string_view value) {
  if (!value.empty()) terms.push_back({field, std::string(value)});
}

void RowFacts::Add(uint8_t field, TimeUs moment) {
  if (moment) numbers.push_back({field, moment.value});
}

void RowFacts::Sort() {
  std::ranges::sort(terms);
  const auto again = std::ranges::unique(terms);
  terms.erase(again.begin(), again.end());
}

std::string RowKey(std::string_view key) {
  return KeyWriter('r').Raw(key).Take();
}

std::string TermPrefix(uint8_t field, std::string_view value) {
  return KeyWriter('t').Byte(field).Text(value).Take();
}

std::string ValuesPrefix(uint8_t field, std::string_view begin) {
  std::string prefix = TermPrefix(field, begin);
  prefix.resize(prefix.size() - 2);  // without the end of the text
  return prefix;
}

std::string PlaceOf(const RowFacts& facts) {
  std::string place = KeyWriter(0).Descending(facts.order).Raw(facts.key).Take();
  return place.substr(1);
}

void WriteTerms(ViewWriter& writer, const TableSchema& schema, const RowFacts* before,
                const RowFacts* after) {
  using Keys = std::set<std::string>;
  const Keys old_keys = before == nullptr ? Keys() : KeysOf(schema, *before);
  const Keys new_keys = after == nullptr ? Keys() : KeysOf(schema, *after);
  for (const std::string& key : old_keys)
    if (!new_keys.contains(key)) writer.Erase(key);
  for (const std::string& key : new_keys)
    if (!old_keys.contains(key)) writer.Put(key, "");
}

}  // namespace stele::projections
