// Tasks for people.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

Caller Person(const std::string& name, Role role = Role::kDeveloper,
              std::vector<std::string> groups = {}) {
  Caller caller = ServedWorld::Somebody(role, std::move(groups));
  caller.name = name;
  return caller;
}

class Tasks : public testing::Test {
 protected:
  Tasks() {
    world_.served.Register(
        "review", "{id: review, type: approval, config: {title: Price, assignees: [anna, bo]}}");
    world_.served.Register("pack",
                           "{id: pack, type: manual, config: {title: Pack it, groups: [depot]}}");
  }

  int64_t Start(const std::string& definition) {
    const int64_t id = world_.Start(definition);
    world_.served.CatchUp();
    return id;
  }
  // The ids of a list.
  std::vector<std::string> Ids(const std::string& query) {
    world_.served.CatchUp();
    const Answered page = world_.Get("/tasks" + query);
    EXPECT_EQ(page.status, 200) << page.body;
    std::vector<std::string> ids;
    for (const Value& task : page.at("tasks").as_array())
      ids.push_back(task.Find("id")->as_string());
    return ids;
  }
  Answered Act(const std::string& path, const std::string& body = "") {
    return world_.Post(path, body);
  }

  RestWorld world_;
};

TEST_F(Tasks, AreFoundByWhomTheyAreFor) {
  const int64_t review = Start("review");
  const int64_t pack = Start("pack");
  const std::string review_id = fmt::format("{}-1", review), pack_id = fmt::format("{}-1", pack);
  using Ids = std::vector<std::string>;
  EXPECT_EQ(this->Ids("?sort=created"), (Ids{review_id, pack_id}));
  EXPECT_EQ(this->Ids("?person=anna"), Ids{review_id});
  EXPECT_EQ(this->Ids("?group=depot"), Ids{pack_id});
  EXPECT_EQ(this->Ids("?person=eve"), Ids{});
  EXPECT_EQ(this->Ids("?definition=pack"), Ids{pack_id});
  EXPECT_EQ(this->Ids("?query=type:manual"), Ids{pack_id});
  world_.who = Person("bo", Role::kDeveloper, {"depot"});
  EXPECT_EQ(this->Ids("?mine=true&sort=created"), (Ids{review_id, pack_id}));
  EXPECT_EQ(world_.Refusal(422, world_.Get("/tasks?limit=0")), "STL0406");
}

TEST_F(Tasks, AreActedOnUnderTheIdThatIsShown) {
  const int64_t review = Start("review");
  const std::string path = "/tasks/" + Ids("")[0];
  EXPECT_EQ(world_.Get(path).text("title"), "Price");
  world_.who = Person("anna");
  EXPECT_EQ(Act(path + "/claim", R"({"comment":"mine"})").status, 200);
  world_.who = Person("bo");
  EXPECT_EQ(world_.Refusal(409, Act(path + "/claim")), "STL0405");
  EXPECT_EQ(world_.Refusal(403, Act(path + "/approve")), "STL0408");
  world_.who = Person("anna");
  EXPECT_EQ(Act(path + "/approve", R"({"comment":"fine","variables":{"price":7}})").status, 200);
  world_.served.CatchUp();
  EXPECT_EQ(world_.StatusOf(review), "completed");
  const Answered over = world_.Get(path);
  EXPECT_EQ(over.text("state"), "approved");
  EXPECT_EQ(over.text("votes/0/person"), "anna");
  EXPECT_EQ(over.text("votes/0/comment"), "fine");
  EXPECT_EQ(Ids(""), std::vector<std::string>());
}

TEST_F(Tasks, AreActedOnByTheirStep) {
  const int64_t pack = Start("pack");
  const std::string path = fmt::format("/instances/{}/tasks/pack", pack);
  world_.who = Person("carl");
  EXPECT_EQ(world_.Refusal(403, Act(path + "/claim")), "STL0408");
  world_.who = Person("carl", Role::kDeveloper, {"depot"});
  EXPECT_EQ(Act(path + "/claim").status, 200);
  EXPECT_EQ(Act(path + "/release").status, 200);
  EXPECT_EQ(world_.Refusal(409, Act(path + "/approve")), "STL0405");
  EXPECT_EQ(Act(path + "/complete").status, 200);
  world_.served.Settle();
  EXPECT_EQ(world_.StatusOf(pack), "completed");
}

TEST_F(Tasks, AreRejectedAndFailed) {
  const int64_t review = Start("review");
  const int64_t pack = Start("pack");
  world_.who = Person("anna");
  EXPECT_EQ(Act(fmt::format("/instances/{}/tasks/review/reject", review)).status, 200);
  world_.who = Person("carl", Role::kDeveloper, {"depot"});
  const std::string fail = fmt::format("/instances/{}/tasks/pack/fail", pack);
  EXPECT_EQ(world_.Refusal(422, Act(fail)), "STL0406");
  EXPECT_EQ(Act(fail, R"({"kind":"no_stock","comment":"sold out"})").status, 200);
  world_.served.Settle();
  EXPECT_EQ(world_.Get(fmt::format("/instances/{}", pack)).text("error/kind"), "no_stock");
}

TEST_F(Tasks, AreActedOnForOthersByOperatorsAlone) {
  const int64_t review = Start("review");
  const std::string path = fmt::format("/instances/{}/tasks/review/approve", review);
  world_.who = Person("dev");
  EXPECT_EQ(world_.Refusal(403, Act(path, R"({"as_operator":true})")), "STL1002");
  world_.who = Person("op", Role::kOperator);
  EXPECT_EQ(world_.Refusal(403, Act(path)), "STL0408");
  EXPECT_EQ(Act(path, R"({"as_operator":true})").status, 200);
}

TEST_F(Tasks, AreActedOnByAnybodyWhereNobodyIsAskedForAName) {
  const int64_t review = Start("review");
  const std::string path = fmt::format("/instances/{}/tasks/review/approve", review);
  world_.who = Person("anna");
  EXPECT_EQ(world_.Refusal(403, Act(path, R"({"by":"bo"})")), "STL1002");
  world_.who = AnonymousDeveloper("127.0.0.1");
  EXPECT_EQ(world_.Refusal(403, Act(path, R"({"by":"eve"})")), "STL0408");
  EXPECT_EQ(world_.Refusal(422, Act(path, R"({"by":"worker:eve"})")), "STL0406");
  EXPECT_EQ(Act(path, R"({"by":"bo","groups":["ops"]})").status, 200);
  world_.served.CatchUp();
  EXPECT_EQ(world_.Get(fmt::format("/tasks/{}-1", review)).text("votes/0/person"), "bo");
}

TEST_F(Tasks, AreRefusedWhereThereAreNone) {
  const int64_t review = Start("review");
  EXPECT_EQ(world_.Refusal(404, world_.Get("/tasks/999-1")), "STL0403");
  EXPECT_EQ(world_.Refusal(400, world_.Get("/tasks/9")), "STL1008");
  EXPECT_EQ(world_.Refusal(400, Act("/tasks/1-x/claim")), "STL1008");
  EXPECT_EQ(world_.Refusal(404, Act("/tasks/999-1/claim")), "STL0401");
  EXPECT_EQ(world_.Refusal(404, Act(fmt::format("/instances/{}/tasks/none/claim", review))),
            "STL0403");
}

}  // namespace
}  // namespace stele::server::rest
