#include "replay/audit/deed_reader.h"

#include <gmock/gmock.h>

#include "engine/runtime/custom_types.h"
#include "replay/history.h"
#include "server/alerts/rule.h"
#include "server/auth/accounts.h"
#include "tests/replay/recorded_log.h"

namespace stele::replay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What anna, an operator, strangers and triggers did to three instances.
class Deeds : public testing::Test {
 protected:
  // "anna cancel instance 1 of two (with compensation): cancelled" of each.
  static std::string TextOf(const Deed& deed) {
    std::string text = deed.actor + " " + deed.action;
    if (deed.instance) text += " instance " + std::to_string(deed.instance.value);
    if (!deed.definition.empty()) text += " of " + deed.definition;
    if (!deed.target.empty()) text += " (" + deed.target + ")";
    if (!deed.reason.empty()) text += " because " + deed.reason;
    return deed.outcome == "done" ? text : text + ": " + deed.outcome;
  }
  std::shared_ptr<const model::Registry> Known() const {
    return std::make_shared<const model::Registry>(
        ReadRegistry(log_.store, RecordedLog::kShard).value());
  }
  DeedReader Reader(const DeedFilter& filter, DeedPlace from = {}) const {
    return {log_.store,
            RecordedLog::kShard,
            filter,
            Known(),
            log_.store.NextPosition(RecordedLog::kShard),
            from};
  }
  std::vector<Deed> Read(const DeedFilter& filter) const {
    std::vector<Deed> deeds;
    DeedReader reader = Reader(filter);
    for (auto deed = reader.Next(); deed.value().has_value(); deed = reader.Next())
      deeds.push_back(**deed);
    EXPECT_TRUE(reader.ended());
    return deeds;
  }
  std::vector<std::string> Texts(const DeedFilter& filter = {}) const {
    std::vector<std::string> texts;
    for (const Deed& deed : Read(filter)) texts.push_back(TextOf(deed));
    return texts;
  }
  // The registry's next record.
  void Note(const model::Event& event) { log_.Append(InstanceId(), Seq(++registry_), {event}); }
  void As(const std::string& actor, const std::string& source = "") {
    log_.asker = {actor, source};
  }

  RecordedLog log_;
  uint64_t registry_ = 1;
};

TEST_F(Deeds, AreWhatSomebodyDidAndNotWhatFollowed) {
  As("anna", "rest 10.0.0.7");
  model::Instance instance = log_.Start(1);
  As("worker:depot/press-1");
  log_.Decide(instance, Complete(1));
  As("");
  log_.Decide(instance, Complete(2));
  EXPECT_THAT(Texts({.definition = "two", .actor = "anna"}),
              ElementsAre("anna start instance 1 of two (version 1)"));
  const auto deeds = Read({.instance = InstanceId(1)});
  ASSERT_EQ(deeds.size(), 1u);
  EXPECT_EQ(deeds[0].source, "rest 10.0.0.7");
  EXPECT_EQ(deeds[0].position, Position(2));
  EXPECT_EQ(deeds[0].seq, Seq(1));
}

TEST_F(Deeds, AreTheEnginesAndItsWorkersTooWhereAllIsAskedFor) {
  As("anna");
  model::Instance instance = log_.Start(1);
  As("worker:depot/press-1");
  log_.Decide(instance, Complete(1));
  As("");
  log_.Decide(instance, Complete(2));
  EXPECT_THAT(Texts({.instance = InstanceId(1), .all = true}),
              ElementsAre("anna start instance 1 of two (version 1)",
                          "worker:depot/press-1 attempt_completed instance 1 of two",
                          " attempt_completed instance 1 of two: completed"));
  EXPECT_THAT(Texts({.actor = "worker:depot/press-1"}), IsEmpty());
}

TEST_F(Deeds, AreThoseOfSomebodyWhoCallsHimselfAWorker) {
  model::Instance instance = log_.Start(1);
  As("worker:depot/press-1", "cli mallory@host-3");
  log_.Decide(instance, model::TerminateInstance{.reason = "unseen"});
  EXPECT_THAT(Texts({.kinds = {DeedKind::kOperate}}),
              ElementsAre("worker:depot/press-1 terminate instance 1 of two because unseen: "
                          "terminated"));
}

TEST_F(Deeds, OfOperatorsHaveReasonsAndWhatTheyCameTo) {
  model::Instance instance = log_.Start(1);
  As("olaf", "cli olaf@host-3");
  log_.Decide(instance, model::PauseInstance{.reason = "the supplier is down"});
  log_.Decide(instance, model::AssignVariables{.scope = ScopeId(0),
                                               .variables = {{"price", Payload::FromText("1")},
                                                             {"who", Payload::FromText("2")}},
                                               .reason = "a wrong price"});
  log_.Decide(instance, model::ResumeInstance{.reason = "it is back"});
  log_.Decide(instance, model::TerminateInstance{.reason = "a duplicate"});
  EXPECT_THAT(Texts({.actor = "olaf"}),
              ElementsAre("olaf pause instance 1 of two because the supplier is down",
                          "olaf set variables instance 1 of two (price, who) because a wrong price",
                          "olaf resume instance 1 of two because it is back",
                          "olaf terminate instance 1 of two because a duplicate: terminated"));
}

TEST_F(Deeds, OnARunNameItsStep) {
  model::Instance instance = log_.Start(1);
  log_.Decide(instance, Complete(1));
  As("olaf");
  log_.Append(InstanceId(1), instance.seq.Next(),
              {model::IncidentResolved{RunId(2), model::Resolution::kSkip, "done by hand"}});
  EXPECT_THAT(Texts({.actor = "olaf"}),
              ElementsAre("olaf resolve by skip instance 1 of two (step b (run 2)) "
                          "because done by hand"));
}

TEST_F(Deeds, OfPeopleSayInWhoseNameTheyActed) {
  model::Instance instance = log_.Start(1);
  As("olaf");
  log_.Append(InstanceId(1), instance.seq.Next(),
              {model::HumanTaskDecided{.run = RunId(1),
                                       .person = "ada",
                                       .approved = true,
                                       .comment = "fine",
                                       .as_operator = true}});
  EXPECT_THAT(Texts({.kinds = {DeedKind::kDecide}}),
              ElementsAre("olaf approve instance 1 of two (step a (run 1), as ada) because fine"));
}

TEST_F(Deeds, OfOneInstanceAreAlsoWhatWasDeniedAndRemovedOfIt) {
  As("anna");
  log_.Start(1);
  log_.Start(2);
  As("mallory", "rpc 10.0.0.9");
  Note(model::AccessDenied{
      .name = "operate", .document = R"({"target":"two","role":"viewer","times":3,"instance":2})"});
  Note(model::AccessDenied{.name = "operate", .document = R"({"target":"two","times":1})"});
  As("root");
  Note(model::InstancesPurged{.instances = {{InstanceId(1), InstanceId(3)}}, .reason = "old"});
  EXPECT_THAT(Texts({.instance = InstanceId(2)}),
              ElementsAre("anna start instance 2 of two (version 1)",
                          "mallory operate instance 2 of two (as viewer): denied 3 times",
                          "root purge (instances 1-3) because old"));
  EXPECT_THAT(Texts({.instance = InstanceId(4)}), IsEmpty());
}

TEST_F(Deeds, ThatWereDeniedHaveNoNameWhereNobodyHadOne) {
  As("", "rest 10.0.0.9");
  Note(model::AccessDenied{.name = "token", .document = R"({"target":"","role":"","times":1})"});
  const auto deeds = Read({.kinds = {DeedKind::kDenied}});
  ASSERT_EQ(deeds.size(), 1u);
  EXPECT_EQ(TextOf(deeds[0]), " token: denied");
  EXPECT_EQ(deeds[0].source, "rest 10.0.0.9");
}

TEST_F(Deeds, OnTheRegistrySayWhatWasChanged) {
  As("root");
  Note(model::DefinitionStateChanged{DefinitionId(1), "paused", "a fault in it"});
  Note(model::TriggerRegistered{TriggerId(1), "two", "cron", "{}"});
  Note(model::TriggerStateChanged{TriggerId(1), "paused", "too often"});
  Note(model::SettingChanged{"user:ada", R"({"role":"operator","disabled":true})"});
  Note(model::SettingChanged{"user:ada", ""});
  Note(model::SettingChanged{"key:9f", R"({"name":"depot","role":"worker"})"});
  Note(model::SettingChanged{"revoked:1", R"({"name":"ada"})"});
  Note(model::SettingChanged{"revoked:1", ""});
  Note(model::SettingChanged{"alert/slow", "{}"});
  Note(model::SettingChanged{"type/press", "{}"});
  Note(model::InstancesErased{.instances = {{InstanceId(7), InstanceId(7)}}, .reason = "GDPR"});
  EXPECT_THAT(Texts({.actor = "root"}),
              ElementsAre("root make paused of two (version 1) because a fault in it",
                          "root add of two (trigger 1 (cron))",
                          "root make paused of two (trigger 1) because too often",
                          "root create (user ada (operator), disabled)", "root remove (user ada)",
                          "root create (API key 9f of depot (worker))",
                          "root revoke (a token of ada)", "root set (alert slow)",
                          "root set (type press)", "root erase (instance 7) because GDPR"));
}

TEST_F(Deeds, OfAccountsSayWhatWasChanged) {
  As("root");
  const auto set = [&](const std::string& name, const std::string& document) {
    Note(model::SettingChanged{name, document});
  };
  const std::string rest = R"(,"groups":[],"tokens_valid_from_us":1)";
  set("user:ada", R"({"role":"viewer","password_hash":"a","disabled":false)" + rest + "}");
  set("user:ada", R"({"role":"admin","password_hash":"a","disabled":false)" + rest + "}");
  set("user:ada", R"({"role":"admin","password_hash":"b","disabled":false)" + rest + "}");
  set("user:ada", R"({"role":"admin","password_hash":"b","disabled":true)" + rest + "}");
  set("key:9f", R"({"name":"depot","role":"worker"})");
  set("key:9f", "");
  set("user:ada", "");
  EXPECT_THAT(Texts({.kinds = {DeedKind::kAccess}}),
              ElementsAre("root create (user ada (viewer))",
                          "root change (user ada (admin); changed: role (before: viewer))",
                          "root change (user ada (admin); changed: password)",
                          "root change (user ada (admin), disabled; changed: disabled)",
                          "root create (API key 9f of depot (worker))",
                          "root remove (API key 9f of depot)", "root remove (user ada)"));
  // A report that begins later knows what was before.
  const auto all = Read({.kinds = {DeedKind::kAccess}});
  EXPECT_THAT(Texts({.since = all[2].time, .kinds = {DeedKind::kAccess}}).front(),
              "root change (user ada (admin); changed: password)");
}

// The reader knows settings by how their names begin; these say so.
TEST_F(Deeds, KnowSettingsAsThoseWhoWriteThemDo) {
  As("root");
  const auto kind_of = [&](std::string_view prefix) {
    Note(model::SettingChanged{std::string(prefix) + "x", "{}"});
    return Read({.all = true}).back().kind;
  };
  EXPECT_EQ(kind_of(server::kUserPrefix), DeedKind::kAccess);
  EXPECT_EQ(kind_of(server::kKeyPrefix), DeedKind::kAccess);
  EXPECT_EQ(kind_of(server::kRevokedPrefix), DeedKind::kAccess);
  EXPECT_EQ(kind_of(server::alerts::kRulePrefix), DeedKind::kAlert);
  EXPECT_EQ(kind_of(server::alerts::kDeliveryPrefix), DeedKind::kEngine);
  EXPECT_EQ(kind_of(runtime::kTypePrefix), DeedKind::kDefinition);
  EXPECT_EQ(kind_of("anything/"), DeedKind::kSetting);
}

TEST_F(Deeds, OfATimeAreThoseThatWereRecordedInIt) {
  As("anna");
  for (uint64_t id = 1; id <= 5; ++id) log_.Start(id);
  // A record's time is a thousand times its position; the first one is the definition's.
  EXPECT_THAT(Texts({.since = TimeUs(3'000), .until = TimeUs(5'000)}),
              ElementsAre("anna start instance 2 of two (version 1)",
                          "anna start instance 3 of two (version 1)"));
  EXPECT_THAT(Texts({.since = TimeUs(2'001), .until = TimeUs(2'999)}), IsEmpty());
  EXPECT_EQ(Texts({.since = TimeUs(INT64_MIN)}), Texts()) << "of whoever counts from before 1970";
}

TEST_F(Deeds, InPagesAreTheSameAsInOne) {
  As("anna");
  std::vector<model::Instance> instances;
  for (uint64_t id = 1; id <= 4; ++id) instances.push_back(log_.Start(id));
  for (model::Instance& each : instances) {
    As("");
    log_.Decide(each, Complete(1));
    As("olaf");
    log_.Decide(each, model::PauseInstance{.reason = "so"});
    Note(model::AccessDenied{.name = "read",
                             .document = fmt::format(R"({{"instance":{}}})", each.id.value)});
  }
  for (const DeedFilter& filter :
       {DeedFilter{}, DeedFilter{.instance = InstanceId(2)}, DeedFilter{.all = true}}) {
    const auto whole = Texts(filter);
    for (const uint64_t most : {1, 2, 3, 5}) {
      std::vector<std::string> paged;
      DeedPlace place;
      for (bool ended = false; !ended;) {
        // As a server reads on behind a page: from what the page told.
        DeedReader reader = Reader(filter, ParsePlace(PlaceText(place, filter), filter).value());
        const auto deed = reader.Next(most);
        ASSERT_TRUE(deed.has_value()) << deed.error().message;
        if (deed->has_value()) paged.push_back(TextOf(**deed));
        place = reader.place();
        ended = reader.ended();
      }
      EXPECT_EQ(paged, whole) << most;
    }
  }
}

TEST_F(Deeds, BeginAtAPlaceOfSuchAReportAlone) {
  const DeedFilter all;
  const DeedFilter one{.instance = InstanceId(1)};
  EXPECT_TRUE(ParsePlace("", all).has_value());
  EXPECT_EQ(ParsePlace("7", all)->position, Position(7));
  EXPECT_EQ(ParsePlace("7-3-12", one)->of_registry, Seq(12));
  for (const char* text : {"0", "x", "7-3-12", "-1", "7 "})
    EXPECT_EQ(ParsePlace(text, all).error().code, ErrorCode::kInvalidInput) << text;
  for (const char* text : {"7", "7-3", "7-3-", "7-3-12-1", "7-0-1"})
    EXPECT_EQ(ParsePlace(text, one).error().code, ErrorCode::kInvalidInput) << text;
}

TEST_F(Deeds, OfTriggersAreStarts) {
  As("trigger:3", "rest 10.0.0.7");
  log_.Start(1);
  EXPECT_THAT(Texts({.kinds = {DeedKind::kStart}}),
              ElementsAre("trigger:3 start instance 1 of two (version 1)"));
}

}  // namespace
}  // namespace stele::replay
