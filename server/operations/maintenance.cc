#include "server/operations/maintenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <type_traits>
#include <utility>

#include "engine/secrets/private_file.h"
#include "engine/secrets/secret_store.h"
#include "engine/secrets/secrets.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

using retention::RetentionService;

Value Whole(uint64_t number) {
  return static_cast<int64_t>(number);
}

// One part of a path that leads to no other place.
bool IsPlainName(std::string_view part) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !part.empty() && part[0] != '.' && std::ranges::all_of(part, plain);
}

// Writes down where something is; whether it is to go on.
Status Tell(Progress& progress, const RetentionService& service, Progress::Place place) {
  progress.Tell(std::move(place));
  if (service.stop().stop_requested()) return Desk::Closed();
  if (!progress.given_up()) return {};
  return Fail(ErrorCode::kClosed, "Expected somebody who waits for the answer but found nobody");
}

BackupVisitor VisitorOf(Maintenance::FoundBackups& found) {
  return {.found = [&found](Object document) { found.backups.push_back(std::move(document)); },
          .fault = [&found](const Error& error) { found.faults.push_back(error); }};
}

}  // namespace

template <class Work>
auto Maintenance::Aside(const Caller& caller, Work work)
    -> Promised<typename std::invoke_result_t<Work, RetentionService&>::value_type> {
  using Answer = std::invoke_result_t<Work, RetentionService&>;
  if (const Status allowed = desk_.Allow(caller, Permission::kAdminister); !allowed.has_value())
    return Answer(std::unexpected(allowed.error()));
  if (desk_.closed()) return Answer(Desk::Closed());
  auto pair = kj::newPromiseAndCrossThreadFulfiller<Answer>();
  // Shared, because std::function copies; one thread at a time has it.
  const auto done =
      std::make_shared<kj::Own<kj::CrossThreadPromiseFulfiller<Answer>>>(kj::mv(pair.fulfiller));
  desk_.engine().retention->Do([work = std::move(work), done](RetentionService& service) mutable {
    (*done)->rejectIfThrows([&] { (*done)->fulfill(work(service)); });
  });
  return pair.promise.exclusiveJoin(desk_.WhenClosed().then([] { return Answer(Desk::Closed()); }));
}

Promised<Object> Maintenance::Verify(const Caller& caller, bool chain_alone,
                                     SharedProgress progress) {
  return Aside(caller,
               [store = &desk_.store(), shard = desk_.engine().shard_id, chain_alone,
                progress = std::move(progress)](RetentionService& service) -> Result<Object> {
                 if (chain_alone) {
                   const auto records = store->VerifyChain(shard);
                   if (!records.has_value()) return std::unexpected(records.error());
                   return Object{{"records", Whole(*records)}};
                 }
                 const auto report = replay::Verify(*store, shard, [&](Position at, Position end) {
                   return Tell(*progress, service, {"position", at.value, end.value - 1});
                 });
                 if (!report.has_value()) return std::unexpected(report.error());
                 return ToJson(*report);
               });
}

Promised<std::vector<projections::ViewState>> Maintenance::RebuildViews(
    const Caller& caller, const std::vector<std::string>& views, SharedProgress progress) {
  using Answer = Result<std::vector<projections::ViewState>>;
  if (const Status allowed = desk_.Allow(caller, Permission::kAdminister); !allowed.has_value())
    return Answer(std::unexpected(allowed.error()));
  return desk_
      .Read([projector = desk_.engine().projector, views]() -> Result<Written> {
        if (const Status begun = projector->Rebuild(views); !begun.has_value())
          return std::unexpected(begun.error());
        return Written{};
      })
      .then([this, progress = std::move(progress)](const Result<Written>& begun) mutable
                -> Promised<std::vector<projections::ViewState>> {
        if (!begun.has_value()) return Answer(std::unexpected(begun.error()));
        return WhenBuilt(std::move(progress));
      });
}

Promised<std::vector<projections::ViewState>> Maintenance::WhenBuilt(SharedProgress progress) {
  using Answer = Result<std::vector<projections::ViewState>>;
  const projections::Projector& projector = *desk_.engine().projector;
  if (desk_.closed()) return Answer(Desk::Closed());
  if (const auto failure = projector.failure()) return Answer(std::unexpected(*failure));
  std::vector<projections::ViewState> states = projector.States();
  const auto building = [](const projections::ViewState& state) { return state.building; };
  if (std::ranges::none_of(states, building)) return Answer(std::move(states));
  uint64_t least = UINT64_MAX;
  for (const projections::ViewState& state : states | std::views::filter(building))
    least = std::min(least, state.built.value);
  const uint64_t end = desk_.store().NextPosition(desk_.engine().shard_id).value - 1;
  progress->Tell({"building", least, end});
  return desk_.timer()
      .afterDelay(kBuiltAgainMs * kj::MILLISECONDS)
      .then([this, progress = std::move(progress)]() mutable {
        return WhenBuilt(std::move(progress));
      });
}

Promised<Array> Maintenance::CompareViews(const Caller& caller, std::vector<std::string> views,
                                          SharedProgress progress) {
  return Aside(caller,
               [views = std::move(views),
                progress = std::move(progress)](RetentionService& service) -> Result<Array> {
                 STELE_RETURN_IF_ERROR(service.CatchUp());
                 projections::Projector& projector = service.projector();
                 std::vector<std::string> names = views;
                 if (names.empty())
                   for (const projections::ViewState& state : projector.States())
                     names.push_back(state.name);
                 Array compared;
                 for (const std::string& name : names) {
                   const std::string what = "building " + name;
                   STELE_RETURN_IF_ERROR(Tell(*progress, service, {what, 0, 0}));
                   const auto found = projector.Verify(name, [&](uint64_t records, uint64_t total) {
                     progress->Tell({what, records, total});
                   });
                   if (!found.has_value()) return std::unexpected(found.error());
                   compared.push_back(ToJson(name, *found));
                 }
                 return compared;
               });
}

Result<std::string> Maintenance::BackupsIn(const std::string& directory) const {
  if (places_.backups.empty())
    return Fail(ErrorCode::kUnsupported,
                "Expected a server that was told where to make backups (stele serve --backups DIR) "
                "but found one that was not");
  for (const auto part : std::views::split(directory, '/'))
    if (!IsPlainName(std::string_view(part)))
      return Fail(
          ErrorCode::kInvalidInput,
          fmt::format("directory: Expected a name below the server's directory for backups, "
                      "of letters, digits, `_`, `-` and `.`, but found \"{}\"",
                      directory));
  if (directory.empty() || directory.size() > kMaxBackupNameBytes)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("directory: Expected a name of 1 to {} bytes but found {}",
                            kMaxBackupNameBytes, directory.size()));
  return (std::filesystem::path(places_.backups) / directory).string();
}

Promised<MadeBackup> Maintenance::Backup(const Caller& caller, const std::string& directory,
                                         uint32_t keep) {
  return Aside(caller,
               [store = &desk_.store(), data = places_.data, path = BackupsIn(directory), keep,
                now = desk_.Now()](RetentionService&) -> Result<MadeBackup> {
                 if (!path.has_value()) return std::unexpected(path.error());
                 return MakeBackup(*store, data, *path, keep, now);
               });
}

Promised<Maintenance::FoundBackups> Maintenance::ListBackups(const Caller& caller,
                                                             const std::string& directory) {
  return Aside(caller, [path = BackupsIn(directory)](RetentionService&) -> Result<FoundBackups> {
    if (!path.has_value()) return std::unexpected(path.error());
    FoundBackups found;
    if (std::string note = MendBackups(*path); !note.empty())
      found.notes.push_back(std::move(note));
    STELE_RETURN_IF_ERROR(server::ListBackups(*path, VisitorOf(found)));
    return found;
  });
}

Promised<Maintenance::FoundBackups> Maintenance::VerifyBackups(const Caller& caller,
                                                               const std::string& directory,
                                                               uint32_t only) {
  return Aside(caller,
               [path = BackupsIn(directory), only](RetentionService&) -> Result<FoundBackups> {
                 if (!path.has_value()) return std::unexpected(path.error());
                 FoundBackups found;
                 if (std::string note = MendBackups(*path); !note.empty())
                   found.notes.push_back(std::move(note));
                 STELE_RETURN_IF_ERROR(server::VerifyBackups(
                     *path, only == 0 ? std::nullopt : std::optional(only), VisitorOf(found)));
                 return found;
               });
}

Promised<Object> Maintenance::Archive(const Caller& caller, retention::ArchiveRange range) {
  return Aside(caller,
               [store = &desk_.store(), shard = desk_.engine().shard_id,
                range](RetentionService& service) -> Result<Object> {
                 const auto end = retention::EndOf(*store, shard, range);
                 if (!end.has_value()) return std::unexpected(end.error());
                 const auto report = service.Archive(*end);
                 if (!report.has_value()) return std::unexpected(report.error());
                 return ToJson(*report);
               });
}

Result<Object> Maintenance::Policy(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kAdminister));
  return ToJson(desk_.engine().retention->policy());
}

Promised<Object> Maintenance::Retain(const Caller& caller, retention::Requested requested,
                                     bool dry) {
  requested.asker = AskerOf(caller).Keep();
  return Aside(
      caller, [requested = std::move(requested), dry](RetentionService& service) -> Result<Object> {
        const auto report = retention::Retain(service, requested, dry);
        if (!report.has_value()) return std::unexpected(report.error());
        return ToJson(*report, dry);
      });
}

Promised<Object> Maintenance::Erase(const Caller& caller, retention::Requested requested) {
  requested.asker = AskerOf(caller).Keep();
  return Aside(
      caller, [requested = std::move(requested)](RetentionService& service) -> Result<Object> {
        if (requested.empty())
          return Fail(ErrorCode::kInvalidInput, "Expected instances or a subject but found none");
        const auto report = retention::Erase(service, requested);
        if (!report.has_value()) return std::unexpected(report.error());
        return ToJson(*report);
      });
}

Promised<Array> Maintenance::Secrets(const Caller& caller) {
  if (const Status allowed = desk_.Allow(caller, Permission::kAdminister); !allowed.has_value())
    return Result<Array>(std::unexpected(allowed.error()));
  return desk_.Read([data = places_.data]() -> Result<Array> {
    const auto key = secrets::SecretKey::FromProcess();
    const auto list = secrets::SecretStore(data).List(key.has_value() ? &*key : nullptr);
    if (!list.has_value()) return std::unexpected(list.error());
    Array rows;
    for (const secrets::SecretInfo& secret : *list) rows.push_back(ToJson(secret));
    return rows;
  });
}

Promised<Written> Maintenance::SetSecret(const Caller& caller, const std::string& name,
                                         std::string value) {
  if (const Status allowed = desk_.Allow(caller, Permission::kAdminister); !allowed.has_value())
    return Result<Written>(std::unexpected(allowed.error()));
  return desk_.Read([data = places_.data, clock = desk_.engine().clock, name,
                     value = std::move(value)]() mutable -> Result<Written> {
    const secrets::WipeAtEnd wipe(value);
    STELE_RETURN_IF_ERROR(secrets::CheckName(name));
    const auto key = secrets::SecretKey::FromProcess();
    if (!key.has_value()) return std::unexpected(key.error());
    STELE_RETURN_IF_ERROR(secrets::SecretStore(data).Put(*key, name, value, *clock));
    return Written{};
  });
}

Promised<Written> Maintenance::RemoveSecret(const Caller& caller, const std::string& name) {
  if (const Status allowed = desk_.Allow(caller, Permission::kAdminister); !allowed.has_value())
    return Result<Written>(std::unexpected(allowed.error()));
  return desk_.Read([data = places_.data, name]() -> Result<Written> {
    const auto key = secrets::SecretKey::FromProcess();
    if (!key.has_value()) return std::unexpected(key.error());
    STELE_RETURN_IF_ERROR(secrets::SecretStore(data).Remove(*key, name));
    return Written{};
  });
}

Result<Object> Maintenance::Keys(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kAdminister));
  return Object{{"sealed", desk_.store().payload_keys() != nullptr}};
}

}  // namespace stele::server
