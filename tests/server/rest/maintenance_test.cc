// What those who run a server ask of it over REST.
#include <cstdlib>
#include <filesystem>

#include "engine/secrets/secret_key.h"
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

using http::Method;

class RestMaintenance : public testing::Test {
 protected:
  explicit RestMaintenance(ServedData place = {}) : world_(nullptr, std::move(place)) {
    setenv("STELE_SECRETS_KEY", secrets::SecretKey::Generate().ToText().c_str(), 1);
    world_.served.Register("quick", "{id: a, type: script}");
    world_.served.Register("hangs", "{id: hang, type: script}");
  }
  ~RestMaintenance() override { unsetenv("STELE_SECRETS_KEY"); }

  Answered Do(std::string_view what, std::string body = "") {
    return world_.Post(fmt::format("/maintenance/{}", what), std::move(body));
  }
  // One that has completed, which the views know.
  int64_t Completed() {
    const int64_t id = world_.Start("quick");
    world_.served.CatchUp();
    EXPECT_EQ(world_.StatusOf(id), "completed");
    return id;
  }
  static size_t SizeOf(const Answered& answered, std::string_view path) {
    const Value& list = answered.at(path);
    EXPECT_TRUE(list.is_array()) << path << " of " << answered.body;
    return list.is_array() ? list.as_array().size() : 0;
  }
  // Whether an operator is refused what an admin is not.
  void OnlyForAdmins(Method method, std::string_view target, const std::string& body = "") {
    world_.who = ServedWorld::Somebody(Role::kOperator);
    EXPECT_EQ(world_.Refusal(403, world_.Ask(method, target, body)), "STL1002") << target;
    world_.who = ServedWorld::Somebody(Role::kAdmin);
  }

  RestWorld world_;
};

TEST_F(RestMaintenance, ProvesTheLog) {
  Completed();
  world_.Start("hangs");
  world_.served.Settle();
  const Answered report = Do("verify");
  ASSERT_EQ(report.status, 200) << report.body;
  EXPECT_EQ(report.number("instances"), 2);
  EXPECT_EQ(report.number("open"), 1);
  EXPECT_EQ(report.number("definitions"), 2);
  EXPECT_GT(report.number("events"), report.number("records"));
  const Answered chain = Do("verify", R"({"chain_alone":true})");
  EXPECT_EQ(chain.number("records"), report.number("records"));
  EXPECT_TRUE(chain.at("events").is_null()) << chain.body;
  OnlyForAdmins(Method::kPost, "/maintenance/verify");
}

TEST_F(RestMaintenance, AnswersNobodyWhoseCredentialCountsNoMore) {
  world_.still_valid = false;
  EXPECT_EQ(world_.Refusal(401, Do("verify")), "STL1003");
}

TEST_F(RestMaintenance, BuildsViewsAnew) {
  Completed();
  const size_t views = SizeOf(world_.Get("/views"), "views");
  const Answered all = Do("views/rebuild");
  ASSERT_EQ(all.status, 200) << all.body;
  ASSERT_EQ(SizeOf(all, "views"), views);
  for (const Value& view : all.at("views").as_array()) {
    EXPECT_EQ(*view.Find("serves"), Value(true));
    EXPECT_TRUE(view.Find("building")->is_null());
  }
  EXPECT_EQ(Do("views/rebuild", R"({"views":["instances"]})").status, 200);
  EXPECT_EQ(world_.Refusal(404, Do("views/rebuild", R"({"views":["nonesuch"]})")), "STL0606");
  EXPECT_EQ(world_.Refusal(422, Do("views/rebuild", R"({"views":"instances"})")), "STL0406");
  OnlyForAdmins(Method::kPost, "/maintenance/views/rebuild");
}

TEST_F(RestMaintenance, ComparesViewsWithTheLog) {
  Completed();
  const Answered one = Do("views/verify", R"({"views":["instances"]})");
  ASSERT_EQ(SizeOf(one, "views"), 1u);
  EXPECT_EQ(one.text("views/0/view"), "instances");
  EXPECT_GT(one.number("views/0/equal"), 0);
  EXPECT_EQ(one.number("views/0/differing"), 0);
  EXPECT_EQ(SizeOf(Do("views/verify"), "views"), SizeOf(world_.Get("/views"), "views"));
  EXPECT_EQ(world_.Refusal(404, Do("views/verify", R"({"views":["nonesuch"]})")), "STL0606");
  OnlyForAdmins(Method::kPost, "/maintenance/views/verify");
}

TEST_F(RestMaintenance, MakesListsAndVerifiesBackups) {
  Completed();
  const Answered made = Do("backups", R"({"directory":"nightly/a"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.number("backup"), 1);
  EXPECT_TRUE(std::filesystem::exists(world_.served.backups() + "/nightly/a"));
  EXPECT_EQ(Do("backups", R"({"directory":"nightly/a"})").status, 200);
  Completed();
  const Answered second = Do("backups", R"({"directory":"nightly/a","keep":1})");
  EXPECT_EQ(second.number("backup"), 2);
  EXPECT_EQ(second.number("removed/0"), 1);

  const Answered found = world_.Get("/maintenance/backups?directory=nightly/a");
  ASSERT_EQ(SizeOf(found, "backups"), 1u);
  EXPECT_EQ(found.number("backups/0/backup"), 2);
  EXPECT_EQ(SizeOf(found, "faults"), 0u);
  const Answered whole = Do("backups/verify", R"({"directory":"nightly/a"})");
  ASSERT_EQ(SizeOf(whole, "backups"), 1u);
  EXPECT_GT(whole.number("backups/0/records"), 0);
  EXPECT_EQ(Do("backups/verify", R"({"directory":"nightly/a","backup":2})").status, 200);
  EXPECT_EQ(world_.Refusal(404, Do("backups/verify", R"({"directory":"nightly/a","backup":1})")),
            "STL0306");
  OnlyForAdmins(Method::kPost, "/maintenance/backups", R"({"directory":"a"})");
  OnlyForAdmins(Method::kGet, "/maintenance/backups?directory=nightly/a");
  OnlyForAdmins(Method::kPost, "/maintenance/backups/verify", R"({"directory":"nightly/a"})");
}

TEST_F(RestMaintenance, MakesBackupsNowhereElse) {
  for (const char* body :
       {R"({"directory":""})", R"({"directory":"../elsewhere"})", R"({"directory":"/tmp/a"})", "{}",
        R"({"directory":"a","keep":0})", R"({"directory":"a","keep":4294967297})"})
    EXPECT_EQ(world_.Refusal(422, Do("backups", body)), "STL0406") << body;
  EXPECT_FALSE(std::filesystem::exists(world_.served.backups()));
  EXPECT_EQ(world_.Refusal(422, world_.Get("/maintenance/backups")), "STL0406");
  EXPECT_EQ(world_.Refusal(404, world_.Get("/maintenance/backups?directory=none")), "STL0306");
}

TEST_F(RestMaintenance, TellsOfBackupsThatCannotBeRead) {
  Do("backups", R"({"directory":"a"})");
  Completed();
  Do("backups", R"({"directory":"a"})");
  std::filesystem::resize_file(world_.served.backups() + "/a/manifests/1.json", 3);
  const Answered found = world_.Get("/maintenance/backups?directory=a");
  ASSERT_EQ(SizeOf(found, "backups"), 1u);
  EXPECT_EQ(found.number("backups/0/backup"), 2);
  ASSERT_EQ(SizeOf(found, "faults"), 1u);
  EXPECT_EQ(found.text("faults/0/code"), http::CodeText(ErrorCode::kBackupDamaged));
}

TEST_F(RestMaintenance, ArchivesTheLog) {
  Completed();
  for (const char* nothing : {R"({"before":"1h"})", R"({"before":1})",
                              R"({"keep_bytes":1073741824})", R"({"keep_bytes":1e19})"})
    EXPECT_EQ(Do("archive", nothing).number("records"), 0) << nothing;
  for (const char* body : {R"({"before":"1h","keep_bytes":1})", R"({"before":"soon"})",
                           R"({"before":0})", R"({"before":null})", R"({"keep_bytes":-1})"})
    EXPECT_EQ(world_.Refusal(422, Do("archive", body)), "STL0406") << body;
  const Answered all = Do("archive");
  EXPECT_GT(all.number("records"), 0);
  EXPECT_EQ(all.number("archived_to"), all.number("records"));
  OnlyForAdmins(Method::kPost, "/maintenance/archive");
}

TEST_F(RestMaintenance, PurgesWhatIsNamed) {
  const int64_t id = Completed();
  const std::string named = fmt::format(R"({{"instances":[{}],"reason":"asked for")", id);
  const Answered dry = Do("retention", named + R"(,"dry_run":true})");
  EXPECT_EQ(dry.number("instances"), 1);
  EXPECT_EQ(dry.number("definitions/quick"), 1);
  EXPECT_EQ(world_.StatusOf(id), "completed");
  const Answered done = Do("retention", named + "}");
  EXPECT_EQ(done.number("instances"), 1);
  EXPECT_GT(done.number("records"), 0);
  EXPECT_EQ(world_.Refusal(410, world_.Get(fmt::format("/instances/{}", id))), "STL0307");
  EXPECT_EQ(Do("retention").number("instances"), 0);
  OnlyForAdmins(Method::kPost, "/maintenance/retention");
}

TEST_F(RestMaintenance, PurgesNothingThatIsNoInstance) {
  const int64_t id = Completed();
  EXPECT_EQ(world_.Refusal(404, Do("retention", R"({"instances":[4711]})")), "STL0401");
  EXPECT_EQ(world_.Refusal(404, Do("retention", R"({"subject":"nobody"})")), "STL0401");
  for (const char* body : {R"({"instances":[0]})", R"({"instances":[-1]})",
                           R"({"instances":[1e19]})", R"({"instances":["1"]})"})
    EXPECT_EQ(world_.Refusal(422, Do("retention", body)), "STL0406") << body;
  EXPECT_EQ(world_.StatusOf(id), "completed");
}

TEST_F(RestMaintenance, TellsOfItsPolicy) {
  const Answered policy = world_.Get("/maintenance/retention");
  EXPECT_EQ(policy.at("closed"), Value(0.0));
  EXPECT_EQ(policy.at("every"), Value(3600.0));
  OnlyForAdmins(Method::kGet, "/maintenance/retention");
}

TEST_F(RestMaintenance, ErasesNothingOfALogInClear) {
  const std::string named = fmt::format(R"({{"instances":[{}]}})", Completed());
  EXPECT_EQ(world_.Refusal(422, Do("erase", named)), http::CodeText(ErrorCode::kUnsupported));
  EXPECT_EQ(world_.Refusal(422, Do("erase")), "STL0406");
  EXPECT_EQ(world_.Refusal(422, Do("erase", R"({"instances":[0]})")), "STL0406");
  EXPECT_EQ(world_.Get("/maintenance/keys").at("sealed"), Value(false));
  OnlyForAdmins(Method::kPost, "/maintenance/erase", named);
  OnlyForAdmins(Method::kGet, "/maintenance/keys");
}

class RestSealedMaintenance : public RestMaintenance {
 protected:
  RestSealedMaintenance() : RestMaintenance({.folder = "", .sealed = true}) {}
};

TEST_F(RestSealedMaintenance, ErasesWhatInstancesWereGivenAndKeepsThatTheyRan) {
  const int64_t id = world_.Start("quick", R"(,"input":{"card":"4711"},"business_key":"A-1")");
  const int64_t other = world_.Start("quick", R"(,"input":{"card":"4712"})");
  world_.served.CatchUp();
  EXPECT_EQ(world_.Get("/maintenance/keys").at("sealed"), Value(true));
  const std::string history = fmt::format("/instances/{}/history", id);
  ASSERT_NE(world_.Get(history).body.find("4711"), std::string::npos);
  const std::string state = fmt::format("/instances/{}/state", id);
  ASSERT_NE(world_.Get(state).body.find("4711"), std::string::npos);

  const std::string named = fmt::format(R"({{"instances":[{}],"reason":"asked for"}})", id);
  OnlyForAdmins(Method::kPost, "/maintenance/erase", named);
  const Answered erased = Do("erase", named);
  ASSERT_EQ(erased.status, 200) << erased.body;
  EXPECT_EQ(erased.number("erased/0"), id);
  EXPECT_EQ(SizeOf(erased, "erased"), 1u);
  EXPECT_TRUE(erased.at("in_clear").is_null()) << erased.body;

  world_.served.CatchUp();
  const Answered after = world_.Get(history);
  EXPECT_EQ(after.body.find("4711"), std::string::npos) << after.body;
  EXPECT_NE(after.body.find("step_completed"), std::string::npos) << after.body;
  // Not what a time machine knew before either.
  const Answered state_after = world_.Get(state);
  EXPECT_EQ(state_after.body.find("4711"), std::string::npos) << state_after.body;
  EXPECT_EQ(state_after.text("state/status"), "completed");
  EXPECT_NE(world_.Get(fmt::format("/instances/{}/history", other)).body.find("4712"),
            std::string::npos);
  EXPECT_EQ(Do("verify").status, 200);
  EXPECT_EQ(world_.Refusal(410, world_.Post(fmt::format("/instances/{}/retry", id))), "STL0307");
  EXPECT_EQ(world_.Refusal(404, Do("erase", R"({"instances":[4711]})")), "STL0401");
}

TEST_F(RestSealedMaintenance, ErasesASubjectAndNothingThatIsOpen) {
  const int64_t id = world_.Start("quick", R"(,"business_key":"A-1")");
  const int64_t open = world_.Start("hangs", R"(,"business_key":"A-2")");
  world_.served.CatchUp();
  EXPECT_EQ(world_.Refusal(409, Do("erase", R"({"subject":"A-2"})")), "STL0405");
  EXPECT_EQ(world_.StatusOf(open), "running");
  const Answered erased = Do("erase", R"({"subject":"A-1"})");
  ASSERT_EQ(erased.status, 200) << erased.body;
  EXPECT_EQ(erased.number("erased/0"), id);
}

// What is reported of a log that is sealed.
TEST_F(RestMaintenance, NamesAllThatAnErasureReports) {
  const auto erased = world_.api().schemas().Compile("Erased", /*closed=*/true);
  retention::ErasureReport report;
  EXPECT_TRUE(erased.Validate(Value(ToJson(report))).empty());
  report.instances = {InstanceId(1)};
  report.sent = 2;
  report.in_clear.instances = {InstanceId(1)};
  report.in_clear.registry.resize(1);
  report.started = {InstanceId(3)};
  for (const auto& fault : erased.Validate(Value(ToJson(report)))) ADD_FAILURE() << fault.message;
  EXPECT_FALSE(erased.Validate(Value(Object{{"erased", Array()}})).empty());
}

TEST_F(RestMaintenance, KeepsSecretsAndNeverTellsThem) {
  EXPECT_EQ(SizeOf(world_.Get("/maintenance/secrets"), "secrets"), 0u);
  const std::string target = "/maintenance/secrets/mail_password";
  const Answered set = world_.Ask(Method::kPut, target, R"({"value":"correct horse"})");
  ASSERT_EQ(set.status, 204) << set.body;
  EXPECT_EQ(set.body, "");
  const Answered listed = world_.Get("/maintenance/secrets");
  ASSERT_EQ(SizeOf(listed, "secrets"), 1u);
  EXPECT_EQ(listed.text("secrets/0/name"), "mail_password");
  EXPECT_EQ(listed.number("secrets/0/bytes"), 13);
  EXPECT_FALSE(listed.body.contains("horse"));
  EXPECT_EQ(world_.Refusal(405, world_.Get(target)), "STL0902");
  for (const char* body : {"{}", R"({"value":7})", R"({"value":"x","name":"y"})"})
    EXPECT_EQ(world_.Refusal(422, world_.Ask(Method::kPut, target, body)), "STL0406") << body;
  const std::string bad = http::CodeText(ErrorCode::kBadSecret);
  EXPECT_EQ(world_.Refusal(422, world_.Ask(Method::kPut, target, R"({"value":""})")), bad);
  EXPECT_EQ(world_.Refusal(422, world_.Ask(Method::kPut, "/maintenance/secrets/no%20name",
                                           R"({"value":"x"})")),
            bad);
  OnlyForAdmins(Method::kPut, target, R"({"value":"x"})");
  OnlyForAdmins(Method::kGet, "/maintenance/secrets");
  OnlyForAdmins(Method::kDelete, target);
  EXPECT_EQ(world_.Ask(Method::kDelete, target).status, 204);
  EXPECT_EQ(SizeOf(world_.Get("/maintenance/secrets"), "secrets"), 0u);
  EXPECT_EQ(world_.Refusal(404, world_.Ask(Method::kDelete, target)),
            http::CodeText(ErrorCode::kUnknownSecret));
}

TEST_F(RestMaintenance, IsNotDoneByAServerThatStops) {
  world_.served.desk().Close();
  EXPECT_EQ(world_.Refusal(503, Do("verify")), http::CodeText(ErrorCode::kClosed));
  EXPECT_EQ(world_.Refusal(503, Do("archive")), http::CodeText(ErrorCode::kClosed));
}

}  // namespace
}  // namespace stele::server::rest
