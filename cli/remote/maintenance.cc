#include "cli/remote/maintenance.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/json.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/remote/remote.h"
#include "cli/views.h"
#include "server/rpc/errors.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

// A log may take its time.
constexpr int64_t kMaintenancePatienceUs = int64_t{24 * 3'600} * 1'000'000;

// Shows how far the server is.
class ShowingWatcher final : public api::Watcher::Server {
 public:
  explicit ShowingWatcher(const Terminal& terminal) : terminal_(terminal) {}
  kj::Promise<void> progress(ProgressContext context) override {
    const auto place = context.getParams();
    if (const auto show = ShowProgress(terminal_, place.getWhat().cStr()))
      show(place.getDone(), place.getTotal());
    return kj::READY_NOW;
  }

 private:
  const Terminal& terminal_;
};

class Maintenance {
 public:
  explicit Maintenance(const Arguments& arguments) {
    if (Status fits = CheckAtServer(arguments); !fits.has_value()) {
      opened_ = std::move(fits);
      return;
    }
    auto server = Remote::Open(arguments);
    if (!server.has_value()) {
      opened_ = std::unexpected(server.error());
      return;
    }
    server_ = *std::move(server);
  }
  const Status& opened() const { return opened_; }
  // REQUIRES: it is open.
  api::Maintenance::Client calls() {
    return server_->session().maintenanceRequest().send().getMaintenance();
  }
  template <class Request>
  auto Wait(Request request) {
    return server_->Wait(request.send(), kMaintenancePatienceUs);
  }

 private:
  Status opened_;
  std::unique_ptr<Remote> server_;
};

Result<Value> Document(capnp::Text::Reader json) {
  return ParseJson({json.begin(), json.size()}, nullptr, kWrittenJson);
}

Result<Array> Documents(capnp::Text::Reader json) {
  auto read = Document(json);
  if (!read.has_value()) return std::unexpected(read.error());
  if (read->is_array()) return std::move(read->as_array());
  return Fail(ErrorCode::kInvalidJson, "Expected an array of the server but found none");
}

// The report that a call answers with.
template <class Request>
Result<Value> ReportOf(Maintenance& maintenance, Request request) {
  const auto answer = maintenance.Wait(kj::mv(request));
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Document(answer->getReport());
}

template <class Request>
void Watch(Request& request, const Terminal& terminal) {
  if (terminal.is_interactive()) request.setWatcher(kj::heap<ShowingWatcher>(terminal));
}

template <class Request>
void NameViews(Request& request, const Arguments& arguments) {
  const auto& names = arguments.operands();
  auto views = request.initViews(static_cast<unsigned>(names.size()));
  for (unsigned i = 0; i < views.size(); ++i) views.set(i, server::rpc::TextOf(names[i]));
}

void Show(const retention::Requested& requested, api::Named::Builder to) {
  auto instances = to.initInstances(static_cast<unsigned>(requested.instances.size()));
  for (unsigned i = 0; i < instances.size(); ++i) instances.set(i, requested.instances[i].value);
  to.setSubject(server::rpc::TextOf(requested.subject));
  to.setReason(server::rpc::TextOf(requested.reason));
}

std::vector<std::string> TextsOf(capnp::List<capnp::Text>::Reader texts) {
  std::vector<std::string> all;
  for (const auto text : texts) all.emplace_back(text.begin(), text.size());
  return all;
}

Result<FoundBackups> Read(api::FoundBackups::Reader found) {
  auto backups = Documents(found.getBackups());
  if (!backups.has_value()) return std::unexpected(backups.error());
  FoundBackups read{
      .backups = *std::move(backups), .faults = {}, .notes = TextsOf(found.getNotes())};
  for (const auto fault : found.getFaults())
    read.faults.push_back({server::rpc::FindErrorCode(fault.getCode()).value_or(ErrorCode::kIo),
                           fault.getMessage().cStr()});
  return read;
}

}  // namespace

Result<Value> VerifyAtServer(const Arguments& arguments, const Terminal& terminal,
                             bool chain_alone) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().verifyRequest();
  request.setChainAlone(chain_alone);
  Watch(request, terminal);
  auto report = ReportOf(maintenance, kj::mv(request));
  EndProgress(terminal);
  return report;
}

Status RebuildViewsAtServer(const Arguments& arguments, const Terminal& terminal) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().rebuildViewsRequest();
  NameViews(request, arguments);
  Watch(request, terminal);
  const auto built = maintenance.Wait(kj::mv(request));
  EndProgress(terminal);
  if (!built.has_value()) return std::unexpected(built.error());
  return {};
}

Result<Value> CompareViewsAtServer(const Arguments& arguments, const Terminal& terminal) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().compareViewsRequest();
  NameViews(request, arguments);
  Watch(request, terminal);
  const auto compared = maintenance.Wait(kj::mv(request));
  EndProgress(terminal);
  if (!compared.has_value()) return std::unexpected(compared.error());
  return Document(compared->getComparisons());
}

Result<server::MadeBackup> BackUpAtServer(const Arguments& arguments, uint32_t keep) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().backupRequest();
  request.setDirectory(server::rpc::TextOf(arguments.operands()[0]));
  request.setKeep(keep);
  const auto made = maintenance.Wait(kj::mv(request));
  if (!made.has_value()) return std::unexpected(made.error());
  auto document = Document(made->getBackup());
  if (!document.has_value()) return std::unexpected(document.error());
  if (!document->is_object())
    return Fail(ErrorCode::kInvalidJson, "Expected an object of the server but found none");
  return server::MadeBackup{std::move(document->as_object()), TextsOf(made->getNotes())};
}

Result<FoundBackups> ListBackupsAtServer(const Arguments& arguments) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().backupsRequest();
  request.setDirectory(server::rpc::TextOf(arguments.operands()[0]));
  const auto answer = maintenance.Wait(kj::mv(request));
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Read(answer->getFound());
}

Result<FoundBackups> VerifyBackupsAtServer(const Arguments& arguments, uint32_t only) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().verifyBackupsRequest();
  request.setDirectory(server::rpc::TextOf(arguments.operands()[0]));
  request.setBackup(only);
  const auto answer = maintenance.Wait(kj::mv(request));
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Read(answer->getFound());
}

Result<Value> ArchiveAtServer(const Arguments& arguments, const retention::ArchiveRange& range) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().archiveRequest();
  auto to = request.initRange();
  if (range.before.has_value()) to.setBefore(range.before->value);
  if (range.keep_bytes.has_value()) to.setKeepBytes(*range.keep_bytes);
  return ReportOf(maintenance, kj::mv(request));
}

Result<Value> PolicyAtServer(const Arguments& arguments) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  const auto answer = maintenance.Wait(maintenance.calls().retentionRequest());
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Document(answer->getPolicy());
}

Result<Value> RetainAtServer(const Arguments& arguments, const retention::Requested& requested,
                             bool dry) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().retainRequest();
  Show(requested, request.initNamed());
  request.setDryRun(dry);
  return ReportOf(maintenance, kj::mv(request));
}

Result<Value> EraseAtServer(const Arguments& arguments, const retention::Requested& requested) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().eraseRequest();
  Show(requested, request.initNamed());
  return ReportOf(maintenance, kj::mv(request));
}

Result<Value> SecretsAtServer(const Arguments& arguments) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  const auto answer = maintenance.Wait(maintenance.calls().secretsRequest());
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Document(answer->getSecrets());
}

Status SetSecretAtServer(const Arguments& arguments, const std::string& name,
                         const std::string& value) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().setSecretRequest();
  request.setName(server::rpc::TextOf(name));
  request.setValue(
      capnp::Data::Reader(reinterpret_cast<const uint8_t*>(value.data()), value.size()));
  const auto answer = maintenance.Wait(kj::mv(request));
  if (!answer.has_value()) return std::unexpected(answer.error());
  return {};
}

Status RemoveSecretAtServer(const Arguments& arguments, const std::string& name) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  auto request = maintenance.calls().removeSecretRequest();
  request.setName(server::rpc::TextOf(name));
  const auto answer = maintenance.Wait(kj::mv(request));
  if (!answer.has_value()) return std::unexpected(answer.error());
  return {};
}

Result<Value> KeysAtServer(const Arguments& arguments) {
  Maintenance maintenance(arguments);
  STELE_RETURN_IF_ERROR(maintenance.opened());
  const auto answer = maintenance.Wait(maintenance.calls().keysRequest());
  if (!answer.has_value()) return std::unexpected(answer.error());
  return Document(answer->getState());
}

}  // namespace stele::cli
