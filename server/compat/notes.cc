#include "server/compat/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "server/compat/limits.h"

namespace stele::server::compat {

namespace {

// Of one that is removed: the number stays taken.
constexpr std::string_view kRemoved = "null";

std::string PrefixOf(std::string_view kind) {
  return fmt::format("dialect/{}/", kind);
}

std::string NameOf(std::string_view kind, uint64_t number) {
  return fmt::format("{}{}", PrefixOf(kind), number);
}

// It was judged when it was written, under whatever bounds there were.
std::optional<Object> Read(const std::string& text) {
  auto document = ParseJson(text, nullptr, kWrittenJson);
  if (!document.has_value() || !document->is_object()) return std::nullopt;
  return std::move(document->as_object());
}

Status CheckSize(std::string_view text) {
  if (text.size() > kMaxNoteBytes)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected at most {} bytes in all but found {}", kMaxNoteBytes, text.size()));
  if (const size_t depth = JsonDepth(text); depth > kMaxNoteDepth)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} arrays and objects in each other but found {}",
                            kMaxNoteDepth, depth));
  return {};
}

Promised<Written> Write(Desk& desk, const Caller& caller, std::string_view kind, uint64_t number,
                        std::string_view text) {
  auto answering = desk.Await();
  desk.shard().ChangeSetting(NameOf(kind, number), text, AskerOf(caller),
                             std::move(answering.answer));
  return kj::mv(answering.promise);
}

// Calls `each` with the number and text of every one, those that are removed, too.
template <class Each>
void ForEach(const model::Registry& registry, std::string_view kind, Each each) {
  const std::string prefix = PrefixOf(kind);
  for (auto at = registry.settings.lower_bound(prefix);
       at != registry.settings.end() && at->first.starts_with(prefix); ++at) {
    const char* const begin = at->first.data() + prefix.size();
    const char* const end = at->first.data() + at->first.size();
    uint64_t number = 0;
    if (std::from_chars(begin, end, number).ptr == end) each(number, at->second);
  }
}

}  // namespace

Notes AllNotes(const model::Registry& registry, std::string_view kind) {
  Notes notes;
  ForEach(registry, kind, [&](uint64_t number, const std::string& text) {
    if (auto document = Read(text)) notes.emplace(number, *std::move(document));
  });
  return notes;
}

std::optional<Object> FindNote(const model::Registry& registry, std::string_view kind,
                               uint64_t number) {
  const auto found = registry.settings.find(NameOf(kind, number));
  return found == registry.settings.end() ? std::nullopt : Read(found->second);
}

size_t BytesOf(const model::Registry& registry, std::string_view kind, uint64_t number) {
  const auto found = registry.settings.find(NameOf(kind, number));
  return found == registry.settings.end() ? 0 : found->second.size();
}

Result<uint64_t> NextNote(const model::Registry& registry, std::string_view kind) {
  uint64_t last = 0;
  ForEach(registry, kind,
          [&](uint64_t number, const std::string&) { last = std::max(last, number); });
  if (last < kMaxNotes) return last + 1;
  return Fail(ErrorCode::kLimitExceeded,
              fmt::format("Expected at most {} documents of the kind \"{}\" but found as many",
                          kMaxNotes, kind));
}

Promised<Written> WriteNote(Desk& desk, const Caller& caller, std::string_view kind,
                            uint64_t number, const Object& document) {
  const std::string text = ToJson(Value(document));
  if (const Status fits = CheckSize(text); !fits.has_value())
    return Result<Written>(std::unexpected(fits.error()));
  return Write(desk, caller, kind, number, text);
}

Promised<Written> RemoveNote(Desk& desk, const Caller& caller, std::string_view kind,
                             uint64_t number) {
  return Write(desk, caller, kind, number, kRemoved);
}

}  // namespace stele::server::compat
