// What those who run a server ask of it: proof of the log, views built anew, backups, what leaves
// the log, secrets.
#include "server/operations/maintenance.h"

#include <fmt/format.h>
#include <kj/common.h>

#include <limits>
#include <memory>

#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/maintenance_shapes.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;
using FoundBackups = Maintenance::FoundBackups;

http::Response ShowReport(const Object& report) {
  return http::Json(200, report);
}

http::Response Done(const Written&) {
  return http::NoContent();
}

// Of what may take long. Nobody is told over HTTP how far it is; what only looks is given up when
// the request ends before its answer.
template <class Ask, class Show>
kj::Promise<http::Response> Watched(Ask ask, Show show) {
  const auto progress = std::make_shared<Progress>();
  return Reply(ask(progress), std::move(show)).attach(kj::defer([progress] {
    progress->GiveUp();
  }));
}

Array TextsOf(const std::vector<std::string>& texts) {
  Array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

http::Response ShowMade(const MadeBackup& made) {
  Object shown = made.document;
  const Value* unchanged = shown.Find("unchanged");
  const bool is_new = unchanged == nullptr || !unchanged->as_bool();
  shown.Set("notes", TextsOf(made.notes));
  return http::Json(is_new ? 201 : 200, std::move(shown));
}

http::Response ShowFound(const FoundBackups& found) {
  Array faults;
  for (const Error& fault : found.faults)
    faults.push_back(Object{{"code", http::CodeText(fault.code)}, {"message", fault.message}});
  return http::Json(200, Object{{"backups", found.backups},
                                {"faults", std::move(faults)},
                                {"notes", TextsOf(found.notes)}});
}

// REQUIRES: the body fits its schema, in which they are numbers without a fraction.
Result<retention::Requested> RequestedOf(const Call& call) {
  retention::Requested requested{
      .instances = {}, .subject = call.Text("subject"), .reason = call.Text("reason"), .asker = {}};
  const Value* const instances = call.Find("instances");
  if (instances == nullptr) return requested;
  for (const Value& id : instances->as_array()) {
    if (!id.is_int() || id.as_int() < 1)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("Expected numbers of instances from 1 to {} in \"instances\" but "
                              "found another number",
                              std::numeric_limits<int64_t>::max()));
    requested.instances.emplace_back(static_cast<uint64_t>(id.as_int()));
  }
  return requested;
}

kj::Promise<http::Response> Archive(const Operations& operations, const Call& call) {
  retention::ArchiveRange range;
  if (call.Find("before") != nullptr && call.Find("keep_bytes") != nullptr)
    return Refuse(
        {ErrorCode::kInvalidInput, "Expected \"before\" or \"keep_bytes\" but found both of them"});
  if (call.Find("before") != nullptr) {
    const auto before = GivenMoment(call, "before", operations.desk.Now());
    if (!before.has_value()) return Refuse(before.error());
    range.before = *before;
  }
  if (call.Find("keep_bytes") != nullptr)
    range.keep_bytes = static_cast<uint64_t>(call.Number("keep_bytes", 0));
  return Reply(operations.maintenance->Archive(call.caller(), range), ShowReport);
}

kj::Promise<http::Response> Retain(Maintenance& to, const Call& call) {
  auto requested = RequestedOf(call);
  if (!requested.has_value()) return Refuse(requested.error());
  return Reply(to.Retain(call.caller(), *std::move(requested), call.Flag("dry_run")), ShowReport);
}

kj::Promise<http::Response> Erase(Maintenance& to, const Call& call) {
  auto requested = RequestedOf(call);
  if (!requested.has_value()) return Refuse(requested.error());
  return Reply(to.Erase(call.caller(), *std::move(requested)), ShowReport);
}

kj::Promise<http::Response> Rebuild(Maintenance& to, const Call& call) {
  return Watched(
      [&](const SharedProgress& progress) {
        return to.RebuildViews(call.caller(), call.Texts("views"), progress);
      },
      [](const std::vector<projections::ViewState>& states) {
        Array views;
        for (const projections::ViewState& state : states)
          views.emplace_back(projections::ToJson(state));
        return http::Json(200, Object{{"views", std::move(views)}});
      });
}

kj::Promise<http::Response> Compare(Maintenance& to, const Call& call) {
  return Watched(
      [&](const SharedProgress& progress) {
        return to.CompareViews(call.caller(), call.Texts("views"), progress);
      },
      [](const Array& compared) { return http::Json(200, Object{{"views", compared}}); });
}

std::vector<Route> ProofRoutes(Maintenance* to) {
  return {{.method = Method::kPost,
           .pattern = "/maintenance/verify",
           .id = "verifyLog",
           .summary = "The proof that the log is what was written.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("VerifyLog"),
           .answers = {{200, "it is", "VerifiedLog"}},
           .handle =
               [to](const Call& call) {
                 return Watched(
                     [&](const SharedProgress& progress) {
                       return to->Verify(call.caller(), call.Flag("chain_alone"), progress);
                     },
                     ShowReport);
               },
           .waits = true},
          {.method = Method::kPost,
           .pattern = "/maintenance/views/rebuild",
           .id = "rebuildViews",
           .summary = "Builds views anew from the log; until then the old ones answer.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("NamedViews"),
           .answers = {{200, "they serve", "ViewList"}},
           .handle = [to](const Call& call) { return Rebuild(*to, call); }},
          {.method = Method::kPost,
           .pattern = "/maintenance/views/verify",
           .id = "verifyViews",
           .summary = "Compares what serves with what the log amounts to.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("NamedViews"),
           .answers = {{200, "it was compared", "ComparedViews"}},
           .handle = [to](const Call& call) { return Compare(*to, call); },
           .waits = true}};
}

std::vector<Route> BackupRoutes(Maintenance* to) {
  Parameter directory = Text("directory", "below the server's directory for backups; needed");
  return {{.method = Method::kPost,
           .pattern = "/maintenance/backups",
           .id = "makeBackup",
           .summary = "A backup, below the directory that the server was told to make them in.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("MakeBackup"),
           .answers = {{201, "it was made", "MadeBackup"},
                       {200, "nothing has changed since the newest, which it is", "MadeBackup"}},
           .handle =
               [to](const Call& call) {
                 return Reply(to->Backup(call.caller(), call.Text("directory"),
                                         static_cast<uint32_t>(call.Number("keep", 0))),
                              ShowMade);
               }},
          {.method = Method::kGet,
           .pattern = "/maintenance/backups",
           .id = "listBackups",
           .summary = "Which there are.",
           .permission = Permission::kAdminister,
           .parameters = {std::move(directory)},
           .answers = {{200, "they are, the oldest first", "FoundBackups"}},
           .handle =
               [to](const Call& call) {
                 return Reply(to->ListBackups(call.caller(), call.Asked("directory")), ShowFound);
               },
           .waits = true},
          {.method = Method::kPost,
           .pattern = "/maintenance/backups/verify",
           .id = "verifyBackups",
           .summary = "Every byte and every chain of them, or of one.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("VerifyBackups"),
           .answers = {{200, "these are whole, but for faults", "FoundBackups"}},
           .handle =
               [to](const Call& call) {
                 return Reply(to->VerifyBackups(call.caller(), call.Text("directory"),
                                                static_cast<uint32_t>(call.Number("backup", 0))),
                              ShowFound);
               },
           .waits = true}};
}

std::vector<Route> LogRoutes(const Operations& operations) {
  Maintenance* const to = operations.maintenance;
  return {{.method = Method::kPost,
           .pattern = "/maintenance/archive",
           .id = "archiveLog",
           .summary = "Moves the older part of the log to the archive; all without a range.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("ArchiveLog"),
           .answers = {{200, "it is durable", "ArchivedLog"}},
           .handle = [operations](const Call& call) { return Archive(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/maintenance/retention",
           .id = "getRetention",
           .summary = "How long what is kept.",
           .permission = Permission::kAdminister,
           .answers = {{200, "it is in force", "RetentionPolicy"}},
           .handle =
               [to](const Call& call) { return ReplyNow(to->Policy(call.caller()), ShowReport); }},
          {.method = Method::kPost,
           .pattern = "/maintenance/retention",
           .id = "applyRetention",
           .summary = "Purges what is due, or instances that are named, whatever their age.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("ApplyRetention"),
           .answers = {{200, "they are purged, or would be", "Purged"}},
           .handle = [to](const Call& call) { return Retain(*to, call); }},
          {.method = Method::kPost,
           .pattern = "/maintenance/erase",
           .id = "eraseInstances",
           .summary = "Destroys the keys of what was given to instances and what they gave.",
           .permission = Permission::kAdminister,
           .body = ObjectOf("EraseInstances"),
           .answers = {{200, "nobody reads it any more", "Erased"}},
           .handle = [to](const Call& call) { return Erase(*to, call); }}};
}

std::vector<Route> SecretRoutes(Maintenance* to) {
  return {
      {.method = Method::kGet,
       .pattern = "/maintenance/secrets",
       .id = "listSecrets",
       .summary = "Their names and sizes; nothing tells a value.",
       .permission = Permission::kAdminister,
       .answers = {{200, "they are", "SecretList"}},
       .handle =
           [to](const Call& call) {
             return Reply(to->Secrets(call.caller()), [](const Array& secrets) {
               return http::Json(200, Object{{"secrets", secrets}});
             });
           }},
      {.method = Method::kPut,
       .pattern = "/maintenance/secrets/{secret}",
       .id = "setSecret",
       .summary = "Sets one, in place of the one that there was.",
       .permission = Permission::kAdminister,
       .body = ObjectOf("SetSecret"),
       .answers = {{204, "it is durable", ""}},
       .handle =
           [to](const Call& call) {
             return Reply(to->SetSecret(call.caller(), call.param("secret"), call.Text("value")),
                          Done);
           }},
      {.method = Method::kDelete,
       .pattern = "/maintenance/secrets/{secret}",
       .id = "removeSecret",
       .summary = "There is none of that name any more.",
       .permission = Permission::kAdminister,
       .answers = {{204, "it is durable", ""}},
       .handle =
           [to](const Call& call) {
             return Reply(to->RemoveSecret(call.caller(), call.param("secret")), Done);
           }},
      {.method = Method::kGet,
       .pattern = "/maintenance/keys",
       .id = "getKeyStatus",
       .summary = "Whether the log is sealed.",
       .permission = Permission::kAdminister,
       .answers = {{200, "it is", "KeyStatus"}},
       .handle = [to](const Call& call) { return ReplyNow(to->Keys(call.caller()), ShowReport); }}};
}

}  // namespace

Resource MaintenanceResource(const Operations& operations) {
  Maintenance* const to = operations.maintenance;
  std::vector<Route> routes = ProofRoutes(to);
  for (auto part : {BackupRoutes(to), LogRoutes(operations), SecretRoutes(to)})
    for (Route& route : part) routes.push_back(std::move(route));
  return {.name = "maintenance",
          .about = "For those who run the server; docs/server.md.",
          .routes = std::move(routes),
          .components = MaintenanceShapes()};
}

}  // namespace stele::server::rest
