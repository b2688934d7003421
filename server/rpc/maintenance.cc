#include "server/rpc/maintenance.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/secrets/private_file.h"
#include "server/rpc/answer.h"
#include "server/rpc/given.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

namespace {

void ShowTexts(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder to) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, TextOf(texts[i]));
}

auto ShowReport(auto context) {
  return [context](const Object& report) mutable {
    context.getResults().setReport(TextOf(ToJson(Value(report))));
  };
}

auto ShowBackups(auto context) {
  return [context](Maintenance::FoundBackups& found) mutable {
    auto to = context.getResults().initFound();
    to.setBackups(TextOf(ToJson(Value(std::move(found.backups)))));
    auto faults = to.initFaults(static_cast<unsigned>(found.faults.size()));
    for (unsigned i = 0; i < faults.size(); ++i) Show(found.faults[i], faults[i]);
    ShowTexts(found.notes, to.initNotes(static_cast<unsigned>(found.notes.size())));
  };
}

retention::Requested RequestedOf(api::Named::Reader named, Given& given) {
  retention::Requested requested{.instances = {},
                                 .subject = given.Name(named.getSubject(), "subject"),
                                 .reason = given.Text(named.getReason(), "reason"),
                                 .asker = {}};
  for (const uint64_t id : named.getInstances()) requested.instances.emplace_back(id);
  return requested;
}

retention::ArchiveRange RangeOf(api::ArchiveRange::Reader range) {
  switch (range.which()) {
    case api::ArchiveRange::ALL:
      break;
    case api::ArchiveRange::BEFORE:
      return {.before = TimeUs(range.getBefore()), .keep_bytes = std::nullopt};
    case api::ArchiveRange::KEEP_BYTES:
      return {.before = std::nullopt, .keep_bytes = range.getKeepBytes()};
  }
  return {};
}

// Of one that tells of itself as long as it lasts.
class Watch {
 public:
  Watch(kj::Timer& timer, SharedProgress progress, api::Watcher::Client watcher)
      : timer_(timer),
        progress_(std::move(progress)),
        watcher_(kj::mv(watcher)),
        // A watcher that answers nothing any more is told nothing.
        telling_(Tell().eagerlyEvaluate([](kj::Exception&&) {})) {}
  ~Watch() { progress_->GiveUp(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  kj::Promise<void> Tell() {
    return timer_.afterDelay(kProgressEveryMs * kj::MILLISECONDS).then([this] {
      Progress::Place place = progress_->place();
      if (place == told_) return Tell();
      auto request = watcher_.progressRequest();
      request.setWhat(TextOf(place.what));
      request.setDone(place.done);
      request.setTotal(place.total);
      told_ = std::move(place);
      return request.send().ignoreResult().then([this] { return Tell(); });
    });
  }

  kj::Timer& timer_;
  const SharedProgress progress_;
  api::Watcher::Client watcher_;
  Progress::Place told_;
  kj::Promise<void> telling_;
};

}  // namespace

kj::Promise<void> MaintenanceServer::Watched(kj::Promise<void> answer, SharedProgress progress,
                                             api::Watcher::Client watcher) const {
  return answer.attach(
      kj::heap<Watch>(access_->operations().desk.timer(), std::move(progress), kj::mv(watcher)));
}

kj::Promise<void> MaintenanceServer::verify(VerifyContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  const auto params = context.getParams();
  const auto progress = std::make_shared<Progress>();
  context.allowCancellation();
  return Watched(Answer(maintenance().Verify(access_->caller(), params.getChainAlone(), progress),
                        ShowReport(context)),
                 progress, params.getWatcher());
}

kj::Promise<void> MaintenanceServer::rebuildViews(RebuildViewsContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::vector<std::string> views = given.Names(params.getViews(), "views");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  const auto progress = std::make_shared<Progress>();
  context.allowCancellation();
  return Watched(Answer(maintenance().RebuildViews(access_->caller(), views, progress),
                        [context](const std::vector<projections::ViewState>& states) mutable {
                          auto list =
                              context.getResults().initStates(static_cast<unsigned>(states.size()));
                          for (unsigned i = 0; i < states.size(); ++i) Show(states[i], list[i]);
                        }),
                 progress, params.getWatcher());
}

kj::Promise<void> MaintenanceServer::compareViews(CompareViewsContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  std::vector<std::string> views = given.Names(params.getViews(), "views");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  const auto progress = std::make_shared<Progress>();
  context.allowCancellation();
  return Watched(
      Answer(maintenance().CompareViews(access_->caller(), std::move(views), progress),
             [context](Array& compared) mutable {
               context.getResults().setComparisons(TextOf(ToJson(Value(std::move(compared)))));
             }),
      progress, params.getWatcher());
}

kj::Promise<void> MaintenanceServer::backup(BackupContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string directory = given.Name(params.getDirectory(), "directory");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(maintenance().Backup(access_->caller(), directory, params.getKeep()),
                [context](const MadeBackup& made) mutable {
                  auto results = context.getResults();
                  results.setBackup(TextOf(ToJson(Value(made.document))));
                  ShowTexts(made.notes,
                            results.initNotes(static_cast<unsigned>(made.notes.size())));
                });
}

kj::Promise<void> MaintenanceServer::backups(BackupsContext context) {
  Given given;
  given.Add(access_->Check());
  const std::string directory = given.Name(context.getParams().getDirectory(), "directory");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(maintenance().ListBackups(access_->caller(), directory), ShowBackups(context));
}

kj::Promise<void> MaintenanceServer::verifyBackups(VerifyBackupsContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string directory = given.Name(params.getDirectory(), "directory");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(maintenance().VerifyBackups(access_->caller(), directory, params.getBackup()),
                ShowBackups(context));
}

kj::Promise<void> MaintenanceServer::archive(ArchiveContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(maintenance().Archive(access_->caller(), RangeOf(context.getParams().getRange())),
                ShowReport(context));
}

kj::Promise<void> MaintenanceServer::retention(RetentionContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(maintenance().Policy(access_->caller()), [context](const Object& policy) mutable {
    context.getResults().setPolicy(TextOf(ToJson(Value(policy))));
  });
}

kj::Promise<void> MaintenanceServer::retain(RetainContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  retention::Requested requested = RequestedOf(params.getNamed(), given);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(maintenance().Retain(access_->caller(), std::move(requested), params.getDryRun()),
                ShowReport(context));
}

kj::Promise<void> MaintenanceServer::erase(EraseContext context) {
  Given given;
  given.Add(access_->Check());
  retention::Requested requested = RequestedOf(context.getParams().getNamed(), given);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(maintenance().Erase(access_->caller(), std::move(requested)), ShowReport(context));
}

kj::Promise<void> MaintenanceServer::secrets(SecretsContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(maintenance().Secrets(access_->caller()), [context](Array& secrets) mutable {
    context.getResults().setSecrets(TextOf(ToJson(Value(std::move(secrets)))));
  });
}

kj::Promise<void> MaintenanceServer::setSecret(SetSecretContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(params.getName(), "name");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  const auto bytes = params.getValue().asChars();
  std::string value(bytes.begin(), bytes.size());
  const secrets::WipeAtEnd wipe(value);
  return Answer(maintenance().SetSecret(access_->caller(), name, value), [](const Written&) {});
}

kj::Promise<void> MaintenanceServer::removeSecret(RemoveSecretContext context) {
  Given given;
  given.Add(access_->Check());
  const std::string name = given.Name(context.getParams().getName(), "name");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(maintenance().RemoveSecret(access_->caller(), name), [](const Written&) {});
}

kj::Promise<void> MaintenanceServer::keys(KeysContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(maintenance().Keys(access_->caller()), [context](const Object& state) mutable {
    context.getResults().setState(TextOf(ToJson(Value(state))));
  });
}

}  // namespace stele::server::rpc
